"""A fit whose labels are corrected, killed and resumed: the weights and the labels of one that was left alone."""

import signal
from contextlib import chdir

import pytest
import torch
import yaml
from safetensors.torch import load_file

from callbacks.learning.correct_labels import FOLDER
from datamodules.files.labels import read_label
from mars_pl.cli.main import main
from tests.cli.test_interruption import sending
from tests.fakes.eager_correction import OVERLAY
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import QUIET, SEGMENT

NAMES = (
    "data/voc",
    "segment/segment",
    "segment/deeplabv3plus",
    "segment/deeplabv3plus_resnet101",
    "train/adele",
    "trainer/cpu",
    "tiny.yaml",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = tmp_path_factory.mktemp("adele")
    make_voc_tree(house / "data/voc", 8, image_labels="npy", pseudo="Pseudo")
    overlay = SEGMENT | {"trainer": OVERLAY | {"max_epochs": 4, "check_val_every_n_epoch": 100}}
    (house / "tiny.yaml").write_text(yaml.safe_dump(overlay))
    return house


def fit(house, folder, *more):
    words = [word for name in NAMES for word in ("-c", name)]
    words += ["--data.init_args.label_folder", "Pseudo", *QUIET.split(), "--trainer.default_root_dir", str(folder)]
    with chdir(house):
        return main(["fit", *words, *more])


@pytest.mark.parametrize("hook", ["on_after_backward", "on_train_epoch_end"])
def test_a_broken_fit_goes_on_with_its_labels(house, tmp_path, hook):
    assert fit(house, tmp_path / "whole") == 0
    assert fit(house, tmp_path / "broken", *sending(signal.SIGTERM, hook, epoch=2)) == 143
    assert fit(house, tmp_path / "broken", "--ckpt_path", str(tmp_path / "broken/checkpoints/last.ckpt")) == 0
    whole, broken = (load_file(tmp_path / name / "student.safetensors") for name in ("whole", "broken"))
    assert all(torch.equal(value, broken[key]) for key, value in whole.items())
    labels = [sorted((tmp_path / name / FOLDER / "3").glob("*.png")) for name in ("whole", "broken")]
    assert [path.name for path in labels[0]] == [path.name for path in labels[1]] != []
    assert all((one.read_bytes() == other.read_bytes()) for one, other in zip(*labels, strict=True))
    first = house / "data/voc/Pseudo"
    assert any((read_label(path) != read_label(first / path.name)).any() for path in labels[0])
