from pathlib import Path

import pytest
import yaml

from mars_pl.training.weight_files import SHIPPED, find_weights

REPOSITORY = Path(__file__).parents[2]


def test_the_packages_own_weights_are_found_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARS_WEIGHTS", "elsewhere")
    name = yaml.safe_load((REPOSITORY / "configs/backbone/vit_scenes.yaml").read_text())["init_args"]["weights"]
    assert find_weights(name) == SHIPPED / "scenes_vit.safetensors"
    for folder in (tmp_path / "elsewhere", tmp_path):
        folder.mkdir(exist_ok=True)
        (folder / name).touch()
        assert find_weights(name).resolve() == folder / name


def test_a_missing_file_is_named_with_its_remedy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="nowhere: no such weights here or in the folder of MARS_WEIGHTS"):
        find_weights("nowhere")
