from pathlib import Path

import pytest

from datamodules.errors import DataError
from mars_pl.commands.data_choice import data_choice
from mars_pl.pipeline.settings.configs import config_folder, find_config
from mars_pl.pipeline.settings.yamls import layers


def test_a_shipped_yaml_is_found_by_its_name_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config("wsss/cam") == find_config("wsss/cam.yaml") == config_folder() / "wsss/cam.yaml"
    assert find_config(str(config_folder() / "wsss/cam.yaml")) == config_folder() / "wsss/cam.yaml"


def test_ones_own_yaml_and_overlay_are_found_by_name_and_go_before_the_shipped_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("data/cups", "wsss/cups/cam", "wsss/seam"):
        (tmp_path / "configs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "configs" / f"{name}.yaml").write_text("data: {class_path: datamodules.voc.VOC}\n")
    own = Path("configs/wsss/cups/cam.yaml")
    assert layers(["cups"], "data/cups", "wsss/cam") == (
        Path("configs/data/cups.yaml"),
        config_folder() / "wsss/cam.yaml",
        own,
    )
    assert find_config("wsss/seam") == Path("configs/wsss/seam.yaml")
    assert data_choice("cups")[0][:2] == ("background", "aeroplane")


def test_a_data_set_is_known_by_the_name_of_its_yaml():
    assert "sheep" in data_choice("voc_animals")[1]


def test_a_name_that_is_nowhere_is_told_with_those_that_are_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        DataError, match=r"wsss/camel: no such YAML here or among the shipped configs; wsss/ has .*cam.*seam"
    ):
        find_config("wsss/camel")
