"""A fit that was killed and goes on leaves the weights of one that was never disturbed, bit for bit.

Every kind of fit, from its shipped YAMLs in the size of generated scenes, on eight images.
"""

import signal
from contextlib import chdir

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from datamodules.files.labels import read_label
from datamodules.files.scores import write_scores
from datamodules.synthetic.generator import write_outside
from mars_pl.cli.main import main
from mars_pl.pipeline.settings.configs import find_config
from mars_pl.pipeline.settings.yamls import layers
from tests.cli.test_interruption import sending
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import QUIET

SEGMENT = ("segment/segment", "segment/deeplabv3plus", "segment/deeplabv3plus_scenes", "train/mars")
ADELE = (*SEGMENT[:-1], "train/adele")
LABELS = {"label_folder": "Pseudo"}
CROPS = {"training_set": {"init_args": {"crop_size": 32, "long_side": [40, 56], "scale": None}}}
OUTSIDE = {"training_set": {"init_args": {"crop_size": 32, "long_side": [40, 56], "folder": "outside"}}}
VIEWS = {"training_set": {"init_args": {"global_size": 32, "local_size": 16}}}
PAIRS = {"training_set": {"init_args": {"crop_size": 32, "neighbours": "pairs/neighbours.safetensors"}}}
QUEUE = {"queue": 32}
PHASES = {"recursive_from": 1, "mixed_from": 1}
DENSE_CRF = {"class_path": "mars_pl.refine.dense_crf.DenseCRF", "init_args": {"workers": 1}}
FILLED = {"complement": {"init_args": {"refine": DENSE_CRF}}}

FITS = {
    # YAMLs of a room, each with its overlay for generated scenes: data, model and files that the fit leaves
    "cam": (("wsss/cam",), CROPS, {}, ("weights",)),
    "wood": (("wsss/cam", "wsss/wood/cam"), OUTSIDE, {"clusters": 5}, ("weights",)),
    "irn": (("wsss/irn_propagation",), CROPS | LABELS, {"radius": 3}, ("weights",)),
    "seam": (("wsss/seam",), CROPS, {}, ("weights",)),
    "affinity": (("wsss/seam_propagation",), CROPS | LABELS, {}, ("weights",)),
    "rsepm": (("wsss/rsepm",), CROPS, PHASES, ("weights",)),
    "stego": (("uss/crops", "uss/stego"), PAIRS, {}, ("weights",)),
    "leopart": (("uss/leopart",), VIEWS, QUEUE, ("weights",)),
    "mars": (SEGMENT, CROPS | LABELS, FILLED, ("weights", "student")),
    "adele": (ADELE, CROPS | LABELS, {}, ("weights", "student")),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A tree of eight images, and which crops STEGO pairs."""
    house = tmp_path_factory.mktemp("resume")
    make_voc_tree(house / "data/voc", 8, image_labels="npy", pseudo="Pseudo")
    write_outside(house / "outside", 1, 6)
    for label in (house / "data/voc/Pseudo").glob("*.png"):
        write_maps(label)
    words = composed(
        house,
        ("uss/crops", "uss/neighbours"),
        {"training_set": {"init_args": {"crop_size": 32}}},
        {},
        vit="model.init_args.backbone",
    )
    assert run(house, ["predict", *words, "--trainer.default_root_dir", "pairs"]) == 0
    return house


def write_maps(path):
    """Leave beside a label the maps that an AffinityNet's cells are averaged from: here 1 where the class is."""
    label = read_label(path)
    own = np.unique([0, *label[label < 21]])
    maps = (label == own[:, None, None]).astype(np.float32)
    write_scores(path.with_suffix(".npz"), np.tile(own, 2), np.tile(maps, (2, 1, 1)))


def composed(house, yamls, data, model, vit=None):
    """Return the words of a job: shipped YAMLs with their overlays, and what makes it smaller still."""
    overlay = house / f"tiny-{len(list(house.glob('tiny-*')))}.yaml"
    small = {"model": {"init_args": model}, "data": {"init_args": {"batch_size": 2, "workers": 0} | data}}
    overlay.write_text(yaml.safe_dump(small | {"trainer": {"max_epochs": 2}}))
    files = ["data/voc", *(str(path) for path in layers(["scenes"], *yamls)), "trainer/cpu", overlay]
    words = [word for file in files for word in ("-c", str(file))]
    return words + QUIET.split() + ([f"--{vit}", find_config("backbone/vit_scenes")] if vit else [])


def run(house, words):
    with chdir(house):
        return main([str(word) for word in words])


class Fit:
    """One kind of fit in a house."""

    def __init__(self, house, name):
        yamls, data, model, self.files = FITS[name]
        self.house = house
        self.words = composed(house, yamls, data, model, "model.init_args.backbone" if yamls[0][:3] == "uss" else None)

    def __call__(self, folder, *more, code=0):
        here = ["--trainer.default_root_dir", folder]
        assert run(self.house, ["fit", *self.words, *here, *more]) == code
        return {name: load_file(folder / f"{name}.safetensors") for name in self.files} if code == 0 else {}


@pytest.fixture(scope="module", params=FITS)
def fit(house, request):
    return Fit(house, request.param)


@pytest.fixture(scope="module")
def whole(fit, tmp_path_factory):
    return fit(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize(
    "workers", [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)]
)
def test_killed_within_the_second_epoch_and_resumed(fit, whole, tmp_path, workers):
    read = ["--data.init_args.workers", workers]
    fit(tmp_path, *read, *sending(signal.SIGTERM, "on_after_backward", epoch=1), code=143)
    checkpoint = tmp_path / "checkpoints" / "last.ckpt"
    resumed = fit(tmp_path, *read, "--ckpt_path", checkpoint)
    for name, tensors in whole.items():
        for key, tensor in tensors.items():
            assert torch.equal(tensor, resumed[name][key]), f"{name}: {key}"
    assert (tmp_path / "metrics-1.csv").is_file() or not (tmp_path / "metrics.csv").is_file(), "earlier lines are kept"


@pytest.mark.slow
def test_another_seed_would_show(fit, whole, tmp_path):
    """So equality above is no accident of a network that does not learn."""
    other = fit(tmp_path, "--seed_everything", 1, "--data.init_args.seed", 1)
    assert any(not torch.equal(tensor, other["weights"][key]) for key, tensor in whole["weights"].items())
