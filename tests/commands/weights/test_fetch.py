"""`mars weights fetch` says and fetches what a run starts from; the download is a stub."""

import re

import huggingface_hub
import pytest
import yaml

from mars_pl.cli.main import main
from mars_pl.commands.weights.fetch import SOURCES
from mars_pl.pipeline import preferences, timm_hub
from mars_pl.training.weight_files import MARS_WEIGHTS
from tests.pipeline.tiny_run import REPOSITORY

LITE0 = "tf_efficientnet_lite0_imagenet.safetensors"
CONFIGS = REPOSITORY / "configs"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty folder to type in, and a hub whose files hold their own names; what was asked of it."""
    asked: list[tuple[str, str]] = []
    (tmp_path / "hub").mkdir()

    def download(repository, file):
        asked.append((repository, file))
        place = tmp_path / "hub" / repository.replace("/", "--")
        place.write_text(repository)
        return str(place)

    def look(repository, file):
        place = tmp_path / "hub" / repository.replace("/", "--")
        return str(place) if place.is_file() else None

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preferences, "best_size", lambda: "small")
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda url, timeout: None)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", look)
    monkeypatch.setenv(MARS_WEIGHTS, "weights")
    return asked


def test_a_folder_of_ones_own_gets_its_file_and_the_hubs_transformer(hub, tmp_path, capsys):
    assert main(["weights", "fetch", "data=folder"]) == 0
    assert hub == [
        ("timm/tf_efficientnet_lite0.in1k", "model.safetensors"),
        ("timm/vit_small_patch8_224.dino", "model.safetensors"),
    ]
    assert (tmp_path / "weights" / LITE0).read_text() == "timm/tf_efficientnet_lite0.in1k"
    assert not list((tmp_path / "weights").glob("vit*")), "timm reads its own from the cache"
    assert capsys.readouterr().out.count("fetched") == 2
    assert main(["weights", "fetch", "data=folder"]) == 0 and len(hub) == 2, "what is here is not asked for"


def test_a_list_fetches_nothing_and_ends_with_1_where_something_is_missing(hub, capsys):
    assert main(["weights", "fetch", "-n", "data=voc"]) == 1 and hub == []
    said = capsys.readouterr().out
    for name in ("resnet50.tv_in1k", "vit_base_patch8_224.dino", "resnet101.tv_in1k"):
        assert f"timm/{name}: model.safetensors" in said
    assert said.count("missing") == 3


def test_what_only_a_person_can_fetch_is_said_with_how(hub, capsys):
    assert main(["weights", "fetch", "data=voc", "segmenter=deeplabv1_wideresnet38", "labels=."]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "mars weights import resnet38" in said and "wide_resnet38_imagenet.safetensors" in said
    assert hub == [("timm/vit_base_patch8_224.dino", "model.safetensors")], "the rest is fetched"


def test_a_folder_of_weights_is_filled_where_weights_says(hub, tmp_path):
    assert main(["weights", "fetch", "data=folder", "weights=else where"]) == 0
    assert (tmp_path / "else where" / LITE0).is_file()


def test_a_hub_out_of_reach_is_one_line(hub, monkeypatch, capsys):
    def refuse(url, timeout):
        raise OSError("no route to host\nat all")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", refuse)
    assert main(["weights", "fetch", "data=folder"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "timm/tf_efficientnet_lite0.in1k: model.safetensors cannot be fetched" in error


def test_a_model_without_its_weights_tag_is_looked_up():
    assert timm_hub.repository("resnet18.tv_in1k") == "timm/resnet18.tv_in1k"
    assert timm_hub.repository("resnet18").startswith("timm/resnet18.")
    assert timm_hub.repository("a_model_of_ones_own") == "timm/a_model_of_ones_own"


def values(settings, name):
    """Every value of a setting in a YAML, however deep."""
    if isinstance(settings, dict):
        yield from ([settings[name]] if isinstance(settings.get(name), str) else [])
        for value in settings.values():
            yield from values(value, name)


def test_every_file_that_a_shipped_yaml_names_has_a_source():
    named = {value for path in CONFIGS.rglob("*.yaml") for value in values(yaml.safe_load(path.read_text()), "weights")}
    assert named - {"scenes_vit.safetensors"} == set(yaml.safe_load(SOURCES.read_text()))


def test_the_page_names_every_choice_and_its_file():
    page = (REPOSITORY / "docs/weights.md").read_text()
    for name in yaml.safe_load(SOURCES.read_text()):
        assert f"`{name}`" in page
    for path in CONFIGS.glob("backbone/*.yaml"):
        vit = yaml.safe_load(path.read_text())["init_args"]
        assert re.search(rf"[`=]{path.stem}`", page)
        assert (vit.get("weights") or f"timm/{vit['name']}") in page
    for path in CONFIGS.glob("segment/*.yaml"):
        network = ((yaml.safe_load(path.read_text()).get("model") or {}).get("init_args") or {}).get("network")
        if network and path.stem not in ("deeplabv2", "deeplabv3plus", "deeplabv3plus_scenes"):
            assert re.search(rf"[`=]{path.stem}`", page)
            for encoder in values(network, "encoder"):
                assert encoder in page
