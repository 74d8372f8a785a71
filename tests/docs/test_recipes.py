"""The published recipe of each row of the paper's Table 5, as `mars run gap data=voc segmenter=…` composes it."""

import re
from itertools import pairwise

import pytest

from mars_pl.refine.dense_crf import NAMED
from tests.pipeline.composed import instantiation, make_composing_house, offline
from tests.pipeline.tiny_run import REPOSITORY, plan

RECIPES = {  # the values of the repositories that the YAMLs name, once more
    "deeplabv1_wideresnet38": {
        "model": {
            "lr": 1e-3,
            "lr_every": 1,
            "weight_decay": 5e-4,
            "flip": True,
            "average": "logits",
            "least_probability": 0,
        },
        "views": (0.5, 0.75, 1.0, 1.25, 1.5, 1.75),
        "loss_size": "image",
        "data": {"batch_size": 10},
        "crop_size": 448,
        "crop": {"scale": (0.5, 1.5)},
        "colours": (10, 10, 10),
        "trainer": {"max_steps": 20000, "max_epochs": -1, "accumulate_grad_batches": 1},
        "crf": "seam-deeplabv1",
    },
    "deeplabv2_resnet50": {
        "model": {
            "lr": 2.5e-4,
            "lr_every": 10,
            "weight_decay": 5e-4,
            "flip": False,
            "average": "logits",
            "least_probability": 0,
        },
        "views": (1.0,),
        "loss_size": "logits",
        "data": {"batch_size": 10},
        "crop_size": 321,
        "crop": {"scale_choices": [0.5, 0.75, 1.0, 1.25, 1.5]},
        "colours": None,
        "trainer": {"max_steps": 20000, "max_epochs": -1, "accumulate_grad_batches": 2},
        "crf": "deeplab",
    },
    "deeplabv3plus_resnet101": {
        "model": {"lr": 1e-3, "lr_every": 1, "weight_decay": 4e-5, "flip": True, "least_probability": 0.05},
        "views": (1.0, 0.5, 1.5, 2.0),
        "loss_size": "logits",
        "data": {"batch_size": 16},
        "crop_size": 512,
        "crop": {"long_side": (320, 640)},
        "colours": (0.3, 0.3, 0.3, 0.1),
        "trainer": {"max_steps": -1, "max_epochs": 100, "accumulate_grad_batches": 1},
        "crf": "deeplab",
    },
}
RECIPES["deeplabv2_resnet101"] = RECIPES["deeplabv2_resnet50"]
RECIPES["dhr_deeplabv1"] = RECIPES["dhr_deeplabv2"] = RECIPES["deeplabv3plus_resnet101"]


@pytest.fixture(params=RECIPES)
def stages(request, tmp_path):
    """The expected values, and the words of each fit and each prediction by their training."""
    (tmp_path / "data/voc/SegmentationClass").mkdir(parents=True)
    found = plan(tmp_path, "gap", f"segmenter={request.param}")
    return RECIPES[request.param], found


@pytest.fixture
def instantiate(tmp_path, monkeypatch):
    (tmp_path / "composed").mkdir()
    house = make_composing_house(tmp_path / "composed")
    run = instantiation(house, monkeypatch)
    return lambda words: run([*words, *offline(house, words)])


def test_fit_is_the_published_one(stages, instantiate):
    expected, words = stages[0], stages[1]["mars/segment"]
    cli = instantiate(words)
    model, data, trainer = cli.model, cli.datamodule, cli.trainer
    assert {name: getattr(model, name) for name in expected["model"]} == expected["model"]
    assert (model.head_factor, model.momentum, model.scales) == (10, 0.9, expected["views"])
    assert model.loss.loss_size == expected["loss_size"]
    assert {name: getattr(data, name) for name in expected["data"]} == expected["data"]
    assert {name: getattr(trainer, name) for name in expected["trainer"]} == expected["trainer"]
    settings = cli.config.fit.data.init_args.training_set.init_args
    assert settings.crop_size == expected["crop_size"]
    sizes = {name: settings[name] for name in ("long_side", "scale", "scale_choices") if settings[name] is not None}
    assert sizes == expected["crop"]
    assert (settings.hsv_jitter or settings.colour_jitter) == expected["colours"]
    assert any(getattr(callback, "decay", None) == 0.999 for callback in trainer.callbacks)


def test_caffes_weights_are_a_yaml_of_ones_own(tmp_path, instantiate):
    [text] = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs/recipes.md").read_text(), flags=re.DOTALL)
    (tmp_path / "data/voc/SegmentationClass").mkdir(parents=True)
    (tmp_path / "configs/segment").mkdir(parents=True)
    (tmp_path / "configs/segment/deeplabv2_caffe.yaml").write_text(text)
    stages = plan(tmp_path, "gap", "segmenter=deeplabv2_caffe")
    for job in ("segment", "segment-masks"):
        words = stages[f"mars/{job}"]
        cli = instantiate([str(tmp_path / word) if word.startswith("configs/") else word for word in words])
        settings = cli.config[cli.subcommand].model.init_args.network.init_args
        assert (settings.layout, settings.encoder) == ("caffe", "resnet101")
        encoder = cli.model.network.encoder.features
        assert encoder.layer2[0].conv1.stride == (2, 2) and encoder.maxpool.ceil_mode
        assert cli.model.average == "logits", "the family's recipe"


def test_masks_are_refined_as_published(stages, instantiate):
    cli = instantiate(stages[1]["mars/segment-masks"])
    [writer] = [callback for callback in cli.trainer.callbacks if hasattr(callback, "refine")]
    assert writer.refine.settings == NAMED[stages[0]["crf"]]
    assert cli.model.scales == stages[0]["views"]


def test_baseline_and_full_supervision_share_the_recipe(stages):
    def shared(training, job):
        own = ("--data.init_args.label_folder", "--model.init_args.weights", "--trainer.default_root_dir")
        words = ["mars", *stages[1][f"{training}/{job}"]]
        return [word for before, word in pairwise(words) if before not in own and "/configs/train/" not in word]

    for job in ("segment", "segment-masks"):
        assert shared("baseline", job) == shared("supervised", job) == shared("mars", job)
