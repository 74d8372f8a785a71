"""An overlay ``<room>/<data or size>/<name>.yaml`` says what such a one wants otherwise than ``<room>/<name>.yaml``."""

from pathlib import Path

import pytest
import yaml

from mars_pl.pipeline.methods import METHODS
from mars_pl.pipeline.settings.resolved import resolve
from mars_pl.pipeline.settings.yamls import layers, masks, of_method, segmenter

CONFIGS = Path(__file__).parents[2] / "configs"
ROOMS = sorted(path for path in CONFIGS.iterdir() if path.is_dir())
OVERLAYS = sorted(CONFIGS.glob("*/*/*.yaml"))
DATA = {path.stem for room in ("data", "size") for path in (CONFIGS / room).glob("*.yaml")}
SEGMENTERS = sorted(path for path in (CONFIGS / "segment").glob("*_*.yaml"))


ALONE = {CONFIGS / "wsss/clims/clip.yaml"}
"""Of stages that one method has alone."""


def name_of(path):
    return path.relative_to(CONFIGS).with_suffix("").as_posix()


def family_of(path):
    return path.with_name(f"{path.stem.split('_')[0]}.yaml")


def repeated(base, overlay, path=""):
    """Yield the settings that an overlay says as its base does; what a class takes as a mapping is one value."""
    for key, value in overlay.items():
        name, before = f"{path}.{key}".lstrip("."), base.get(key)
        settings = (
            not path or key == "init_args" or (isinstance(value, dict) and {"class_path", "init_args"} & set(value))
        )
        if settings and isinstance(value, dict) and isinstance(before, dict):
            same_class = value.get("class_path", before.get("class_path")) == before.get("class_path")
            yield from repeated(before, value, name) if same_class else ()
        elif key in base and value == before:
            yield name


def read(path):
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("path", [path for path in OVERLAYS if path not in ALONE], ids=name_of)
def test_an_overlay_has_a_base_and_says_only_what_differs(path):
    base = path.parents[1] / path.name
    assert base.is_file()
    assert path.parent.name in DATA | set(METHODS) or path.parent.with_suffix(".yaml") in SEGMENTERS
    assert list(repeated(read(base), read(path))) == []


@pytest.mark.parametrize("path", sorted(ALONE), ids=name_of)
def test_a_stage_that_a_method_has_alone_has_no_base_and_is_whole(path):
    assert not (path.parents[1] / path.name).exists()
    assert {"class_path", "init_args"} <= set(read(path)["model"]) and read(path)["trainer"]["max_epochs"]
    assert composed(layers(["scenes"], name_of(path)))[1:] == ["wsss/clims/scenes/clip"]


@pytest.mark.parametrize("path", [path for path in SEGMENTERS if family_of(path).is_file()], ids=name_of)
def test_a_segmenter_says_nothing_that_its_family_says(path):
    assert list(repeated(read(family_of(path)), read(path))) == []


@pytest.mark.parametrize("path", [path for path in SEGMENTERS if not family_of(path).is_file()], ids=name_of)
def test_a_segmenter_without_a_family_brings_its_network(path):
    assert "class_path" in read(path)["model"]["init_args"]["network"]


def test_repetitions_are_found():
    base = {
        "model": {"class_path": "a.A", "init_args": {"lr": 1.0, "scores": {"x": 1, "y": 2}, "net": {"class_path": "b"}}}
    }
    same = {"model": {"init_args": {"lr": 1.0, "scores": {"x": 1, "y": 3}, "net": {"init_args": {"k": 1}}}}}
    assert list(repeated(base, same)) == ["model.init_args.lr"]
    other_class = {"model": {"class_path": "a.B", "init_args": {"lr": 1.0}}}
    assert list(repeated(base, other_class)) == [], "another class says all that it wants"
    assert list(repeated(base, {"model": {"class_path": "a.A"}})) == ["model.class_path"]
    assert list(repeated({"trainer": {"max_epochs": 1}}, {"trainer": {"max_epochs": 1}})) == ["trainer.max_epochs"]


@pytest.mark.parametrize("folder", [*ROOMS, *sorted({path.parent for path in OVERLAYS})], ids=lambda path: path.name)
def test_a_room_can_be_seen_at_a_glance(folder):
    assert 0 < len(list(folder.glob("*.yaml"))) <= 15


def composed(paths):
    return [name_of(path) for path in paths]


def test_the_order_of_a_base_its_overlay_and_a_segmenters_own():
    assert composed(layers(["scenes"], "wsss/cam", "wsss/cam_labels")) == [
        "wsss/cam",
        "wsss/scenes/cam",
        "wsss/cam_labels",
        "wsss/scenes/cam_labels",
    ]
    assert composed(layers(["voc"], "wsss/cam")) == ["wsss/cam"]
    family = ["segment/deeplabv2", "segment/deeplabv2_resnet50"]
    assert composed(segmenter(["voc"], "deeplabv2_resnet50")) == family
    assert composed(segmenter(["coco"], "deeplabv2_resnet50")) == [family[0], "segment/coco/deeplabv2", family[1]]
    assert composed(segmenter(["voc"], "smp_unet")) == ["segment/smp_unet"]
    assert composed(masks(["scenes"], "deeplabv1_wideresnet38")) == [
        "segment/predictions",
        "segment/scenes/predictions",
        "segment/deeplabv1_wideresnet38/predictions",
    ]


def test_a_methods_own_classifier_comes_between_the_shared_one_and_the_data_sets():
    assert composed(of_method(["voc"], "advcam", "cam")) == ["wsss/cam", "wsss/advcam/cam"]
    assert composed(of_method(["scenes"], "advcam", "cam")) == ["wsss/cam", "wsss/advcam/cam", "wsss/scenes/cam"]
    assert of_method(["scenes"], "irn", "cam") == layers(["scenes"], "wsss/cam")


def test_advcam_trains_more_of_the_published_network_and_the_small_ones_as_they_are():
    shared, own = (resolve(of_method(["coco"], method, "cam"), {}) for method in ("irn", "advcam"))
    network = shared["model"]["init_args"]["network"]["init_args"]
    assert network["frozen"] == ["conv1", "bn1", "layer1", "layer2"]
    network["frozen"] = ["conv1", "bn1"]
    assert own == shared, "crops, batches, rates and epochs are IRNet's"
    for overlay in ("scenes", "small"):
        assert resolve(of_method([overlay], "advcam", "cam"), {}) == resolve(of_method([overlay], "irn", "cam"), {})
