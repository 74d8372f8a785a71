"""How long each fit of VOC and COCO is: what one recipe says must not be inherited where another data set is fitted."""

import math

import pytest

from mars_pl.commands.run.targets import mars
from mars_pl.pipeline.choices import read_choices
from mars_pl.pipeline.settings.resolved import resolve

IMAGES = {"voc": 10582, "coco": 82081}
CAM, IRN = ("epochs", 5, 16), ("epochs", 3, 32)  # jiwoon-ahn/irn
SEAM = ("epochs", 8, 8)  # YudeWang/SEAM, classifier and AffinityNet
RSEPM = ("epochs", 30, 16)  # ours: no code was published
STEGO = ("steps", 7000, 32)  # mhamilton723/STEGO's ViT-B, as merantix-momentum/stego-studies reads its checkpoint
STEGO_VIT_SMALL = ("steps", 5000, 16)  # mhamilton723/STEGO, train_config.yml
DEEPLAB = ("steps", 20000, 10)  # kazuto1011/deeplab-pytorch, voc12.yaml; SEAM's DeepLabv1
DHR = ("epochs", 100, 16)
LENGTHS = {
    ("voc", "wsss=irn"): {"wsss-classifier": CAM, "wsss-propagation": IRN, "uss-fit": STEGO, "segment": DHR},
    ("voc", "wsss=seam"): {"wsss-classifier": SEAM, "wsss-propagation": SEAM},
    ("voc", "wsss=rsepm"): {"wsss-classifier": RSEPM, "wsss-propagation": IRN},
    ("voc", "uss=stego_vit_small"): {"uss-fit": STEGO_VIT_SMALL},
    ("voc", "uss=leopart"): {"uss-fit": ("epochs", 500, 64)},
    ("voc", "segmenter=deeplabv1_wideresnet38"): {"segment": DEEPLAB},
    ("voc", "segmenter=deeplabv2_resnet50"): {"segment": DEEPLAB},
    ("voc", "segmenter=deeplabv2_resnet101"): {"segment": DEEPLAB},
    ("voc", "segmenter=dhr_deeplabv1"): {"segment": DHR},
    ("voc", "segmenter=dhr_deeplabv2"): {"segment": DHR},
    ("coco", "wsss=irn"): {"wsss-classifier": CAM, "wsss-propagation": IRN, "uss-fit": STEGO},
    ("coco", "wsss=seam"): {"wsss-classifier": SEAM, "wsss-propagation": SEAM},
    ("coco", "wsss=rsepm"): {"wsss-classifier": RSEPM, "wsss-propagation": IRN},
    ("coco", "uss=stego_vit_small"): {"uss-fit": STEGO_VIT_SMALL},
    ("coco", "uss=leopart"): {"uss-fit": ("epochs", 50, 64)},
    ("coco", "segmenter=deeplabv3plus_resnet101"): {"segment": ("steps", 100000, 16)},
    ("coco", "segmenter=deeplabv2_resnet50"): {"segment": ("steps", 100000, 10)},  # cocostuff164k.yaml
    ("coco", "segmenter=deeplabv2_resnet101"): {"segment": ("steps", 100000, 10)},
    ("coco", "segmenter=deeplabv1_wideresnet38"): {"segment": ("steps", 100000, 10)},
}


def fits(data, choice):
    """Settings of each fit, by its stage."""
    name, _, value = choice.partition("=")
    run = mars(read_choices({"data": data, "trainer": "cpu", name: value}, {}), "lengths")
    return {stage.name: resolve(stage.yamls, stage.options) for stage in run.every_stage() if stage.job == "fit"}


@pytest.mark.parametrize(("data", "choice"), LENGTHS, ids=" ".join)
def test_a_fit_is_as_long_as_published(data, choice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = fits(data, choice)
    for stage, (unit, length, batch) in LENGTHS[data, choice].items():
        trainer, own = found[stage]["trainer"], found[stage]["data"]["init_args"]
        assert own["batch_size"] == batch, stage
        if unit == "steps":
            assert (trainer["max_steps"], trainer["max_epochs"]) == (length, -1), stage
        else:
            assert (trainer["max_epochs"], trainer.get("max_steps", -1)) == (length, -1), stage


@pytest.mark.parametrize(
    ("data", "choice"),
    [pair for pair in LENGTHS if "segmenter" in pair[1] and LENGTHS[pair]["segment"][0] == "steps"],
    ids=" ".join,
)
def test_a_segmenter_is_validated_before_its_fit_ends(data, choice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainer, own = (fits(data, choice)["segment"][part] for part in ("trainer", "data"))
    epochs = trainer["max_steps"] * own["init_args"]["batch_size"] / IMAGES[data]
    assert math.floor(epochs) >= trainer.get("check_val_every_n_epoch", 1)
