"""Every shipped YAML, parsed and instantiated by the real command line in the compositions that the pipeline makes."""

import re
from pathlib import Path

import pytest
import yaml

from mars_pl.networks.sync_batch_norm import SyncBatchNorms
from mars_pl.pipeline.methods import METHODS
from tests.pipeline.composed import classes_of, instantiation, make_composing_house, offline
from tests.pipeline.tiny_run import ALSO, REPOSITORY, plan

CONFIGS = REPOSITORY / "configs"
SEGMENT = {path.stem: yaml.safe_load(path.read_text()) for path in (CONFIGS / "segment").glob("*.yaml")}
DATA = sorted(path.stem for path in (CONFIGS / "data").glob("*.yaml"))
AS_VOC = {"coco", "folder"}
"""Data sets with hardly a stage's YAML of their own."""
CHOICES = {
    "wsss": sorted(METHODS),
    "uss": sorted({path.stem.removeprefix("features_") for path in (CONFIGS / "uss").glob("features_*.yaml")}),
    "backbone": sorted(path.stem for path in (CONFIGS / "backbone").glob("*.yaml")),
    "segmenter": sorted(
        name for name, text in SEGMENT.items() if "network" in text.get("model", {}).get("init_args", {})
    ),
    "encoder": ["resnet18"],
    "trainer": ["cpu_bf16", "gpu", "ddp"],
    "centroids": ["centroids", "centroids_minimum", "centroids_two_kinds"],
    "debias": ["labels_both_sides", "labels_lifted", "labels_probed"],
    "mixing": ["true"],
    "features": ["true"],
}
DIFFERENT = {"wsss", "uss", "centroids", "debias", "mixing"}
"""Choices that not all data sets make of the same YAMLs."""
WITH = {"debias": ("centroids=centroids_two_kinds",)}
"""Choices that want another one."""

SHARES = {"mixing/objects.yaml": 0.5, "mixing/small/objects.yaml": 0.25, "rounds/mixing.yaml": 1.0}
"""Of images that are mixed, by the YAMLs that say so, the last of them last."""

ALWAYS = ("rounds=2", "ood=Outside")  # which W-OoD alone reads
SEGMENTERS = ("DeepLabV1", "DeepLabV2", "DeepLabV3Plus", "DHRDeepLabV1", "DHRDeepLabV2", "AdaptedNetwork")
NOT_ALONE = {"deeplabv2", "deeplabv3plus"}
"""Families, which a segmenter's own YAML completes."""


def asked():
    """Data sets with what they choose by themselves (no choice), and each choice with the data that it differs on."""
    found = [(data, "") for data in DATA]
    with_own = [data for data in DATA if data not in AS_VOC]
    for name, values in CHOICES.items():
        places = with_own if name in DIFFERENT else with_own[:1]
        found += [(data, f"{name}={value}") for value in values if value not in NOT_ALONE for data in places]
    coco = ("segmenter=deeplabv2_resnet50", "segmenter=deeplabv1_wideresnet38", "uss=leopart")  # its overlays
    return found + [("coco", choice) for choice in coco]


ASKED = asked()
DASHBOARDS = ("wandb", "tensorboard")
"""Which come on top of another trainer's YAML."""


@pytest.fixture(scope="module")
def compositions(tmp_path_factory):
    """Words after `mars` of the pipeline's fits and predicts, of each asked by the stage.

    All of them for each data set with what it chooses by itself; of every other choice those that bring a new YAML.
    """
    found, seen, house = {}, set(), tmp_path_factory.mktemp("planned")
    for data, choice in ASKED:
        (house / "data" / data / "SegmentationClass").mkdir(parents=True, exist_ok=True)
        target = "mars" if data in AS_VOC else "gap"
        # a choice brings its YAMLs to all trainings alike, so that one will do
        words_of_it = (choice, *WITH.get(choice.partition("=")[0], ())) if choice else ("trainer=cpu", ALSO)
        new = found[data, choice] = {}
        for stage, words in plan(house, target, f"data={data}", *ALWAYS, *words_of_it).items():
            brought = {(data if not choice else "", word) for word in words if "/configs/" in word}
            if words[0] in ("fit", "predict") and not brought <= seen:
                new[stage] = words
                seen |= brought | {("", word) for _, word in brought}
    fit = found["scenes", ""]["mars/segment"]
    return found | {name: {"fit": [*fit, "-c", str(CONFIGS / f"trainer/{name}.yaml")]} for name in DASHBOARDS}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return make_composing_house(tmp_path_factory.mktemp("configs"))


@pytest.fixture
def instantiate(house, monkeypatch):
    return instantiation(house, monkeypatch)


@pytest.mark.parametrize("key", [*ASKED, *DASHBOARDS], ids=lambda key: key if isinstance(key, str) else "-".join(key))
def test_compositions(key, compositions, instantiate, house, subtests):
    for stage, words in compositions[key].items():
        with subtests.test(stage):
            check_composition(words, instantiate, house)


def check_composition(words, instantiate, house):
    root = ["--trainer.default_root_dir", "runs/here", "--seed_everything", "7"]
    cli = instantiate([*words, *offline(house, words), *root])
    classes = len(classes_of(house, words))
    assert cli.datamodule.num_classes == classes
    assert cli.datamodule.seed == 7, "the seed of the run reaches the data"
    if hasattr(cli.model, "num_classes"):
        assert cli.model.num_classes == classes
    if type(cli.model).__name__ == "IRNModule":
        assert cli.model.crop_size == cli.datamodule.training_set.crop_size, "images are padded to the training's crop"
    if str(CONFIGS / "trainer/ddp.yaml") in words:
        assert isinstance(cli.trainer.strategy._layer_sync, SyncBatchNorms), "batch norms see every process"
    outputs = {"CAMClassifier": classes - 1}  # Leopart's network knows no classes
    outputs |= dict.fromkeys(SEGMENTERS, classes)
    if type(network := getattr(cli.model, "network", None)).__name__ in outputs:
        weights = [value for value in network.state_dict().values() if value.ndim == 4]
        assert weights[-1].shape[0] == outputs[type(network).__name__]
    shares = [share for name, share in SHARES.items() if str(CONFIGS / name) in words]
    if shares:
        assert cli.model.mixing.share == shares[-1], "what a size or a later round wants comes on top"
    if words[0] == "predict":
        assert not cli.config_init.predict.return_predictions
    names = [type(callback).__name__ for callback in cli.trainer.callbacks]
    if words[0] == "fit":
        assert {"ModelCheckpoint", "WeightsWriter", "SeedSteps"} <= set(names)
        assert ("EMATeacher" in names) == bool(re.search(r"/configs/segment/|wsss/rsepm\.yaml", " ".join(words)))
    else:
        assert sum(name.endswith("Writer") for name in names) == 1
    assert cli.trainer.num_sanity_val_steps == 0
    assert not cli.trainer._accelerator_connector.use_distributed_sampler


def test_the_scales_of_features_are_a_setting_of_both_stages_that_read_them(instantiate, house):
    setting = "model.feature_extractor.scales=[2,1,1.5,.5]"
    stages = ("debias-centroids", "debias-labels")
    planned = plan(house, "mars", "data=voc", "labels=tree", *(f"{stage}.{setting}" for stage in stages))
    for stage in stages:
        cli = instantiate([*planned[stage], *offline(house, planned[stage])])
        assert cli.model.feature_extractor.scales == [2, 1.5, 1, 0.5]


def test_every_yaml_belongs_to_a_composition(compositions):
    used = {word for of_one in compositions.values() for words in of_one.values() for word in words}
    shipped = {str(path) for path in CONFIGS.rglob("*.yaml") if path.parent.name not in ("choices", "size", "sweeps")}
    assert shipped - used == set()


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_yaml_says_first_what_it_is_for_and_stays_short(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 32
    if path.parent.name != "trainer":
        assert lines[0].startswith("# ")


def test_no_shipped_yaml_names_a_path_of_this_machine():
    for path in CONFIGS.rglob("*"):
        if path.is_file():
            assert "/work" not in path.read_text() and f"{Path.home()}/" not in path.read_text()
