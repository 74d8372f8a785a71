"""SEAM, AffinityNet, RS+EPM and a CLIP take the same steps and get the same weights in one, two and three processes.

Batch norms stand still, and nothing is dropped, for chance differs from process to process. EdgePredictMix pairs the
images of a process, so RS+EPM is compared in its first two phases.
"""

from contextlib import chdir

import numpy as np
import pytest
import pytorch_lightning as pl
import yaml
from torch import nn

from datamodules.files.labels import read_label
from datamodules.files.scores import write_scores
from datamodules.synthetic.captions import write_captioned
from mars_pl.networks.freezing import hold_batch_norms
from mars_pl.pipeline.execution.words import command_words
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import TinyRun
from tests.processes.agreement import TEN, check_processes_agree

BACKBONE = {
    "backbone": {
        "class_path": "mars_pl.networks.intermediate_features.TimmIntermediateFeatures",
        "init_args": {"name": "test_resnet", "weights": None},
    }
}
DECODER = {"encoder": "test_resnet", "pretrained": False, "channels": 8, "low_level_channels": 4}
SMALL = {"workers": 0, "training_set": {"init_args": {"crop_size": 32}}}
WHOLE = {"workers": 0, "training_set": {"init_args": {"size": 96, "folder": "captioned"}}}
RUNS = {"rsepm": ("wsss=rsepm",), "captions": ("wsss=clims", "captions=captioned")}
"""Choices of a run; of the others SEAM's."""

FITS = {
    "seam": ("seam/wsss-classifier", {"network": {"init_args": BACKBONE}, "view_scale": 0.5}, (1, 2, 3)),
    "affinity": ("wsss-propagation", {"affinity_net": {"init_args": BACKBONE}, "radius": 2}, (1, 2)),
    "rsepm": (
        "rsepm/wsss-classifier",
        {"network": {"init_args": DECODER}, "recursive_from": 5, "mixed_from": 100},
        (1, 2),
    ),
    "captions": ("wsss-clip", {"name": "clip_scenes", "tag": None, "optimizer": "sgd"}, (1, 2)),
}
"""The stage, its settings, and in how many processes."""


class Still(pl.Callback):
    """Nothing depends on chance or on the share of a batch."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        hold_batch_norms(pl_module)
        for part in pl_module.modules():
            if isinstance(part, nn.Dropout | nn.Dropout2d):
                part.eval()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Seven images to train on, and the maps of confident labels beside pseudo labels."""
    house = tmp_path_factory.mktemp("wsss")
    root = house / "data" / "voc"
    names = make_voc_tree(root, 9, image_labels="npy", pseudo="Pseudo")
    (root / "ImageSets/Segmentation/train_aug.txt").write_text("".join(f"{name}\n" for name in names[:7]))
    for name in names:
        label = read_label(root / f"Pseudo/{name}.png")
        classes = np.unique(label)
        maps = (label == classes[:, None, None]).astype(np.float32)
        write_scores(root / f"Pseudo/{name}.npz", np.tile(classes, 2), np.concatenate([maps, maps]))
    write_captioned(house / "captioned", 1, 7)
    return house


@pytest.mark.parametrize(
    "name", [name if name == "affinity" else pytest.param(name, marks=pytest.mark.slow) for name in FITS]
)
def test_ten_steps_give_the_weights_of_one_process(forked_jobs, house, name):
    key, settings, counts = FITS[name]
    if name == "captions":
        pytest.importorskip("open_clip")
    run = TinyRun(house, *RUNS.get(name, ("wsss=seam",)))
    with chdir(house):
        words = command_words(run.places.of(run.stages[key]), run.places)
    settings |= {"lr": 0.01}
    trainer = {"enable_progress_bar": False, "check_val_every_n_epoch": 100}
    data = WHOLE if name == "captions" else SMALL
    overlay = {"model": {"init_args": settings}, "data": {"init_args": data}, "trainer": trainer}
    (house / f"{name}.yaml").write_text(yaml.safe_dump(overlay))
    words += ["-c", f"{name}.yaml", *TEN, "--trainer.callbacks+", f"{__name__}.Still"]
    if name == "affinity":
        words += ["--data.init_args.label_folder", "data/voc/Pseudo"]
    check_processes_agree(forked_jobs, house, words, name, counts)
