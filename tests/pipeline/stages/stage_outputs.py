"""What a stage of a tiny run left, read back."""

import numpy as np
import yaml
from PIL import Image

from datamodules.files.labels import read_label

BIASED, IGNORED = 254, 255
SPLITS = {"train_aug": 6, "train": 4, "val": 2}


def ids(run, split):
    names = (run.house / "data/voc/ImageSets/Segmentation" / f"{split}.txt").read_text().split()
    assert len(names) == SPLITS[split]
    return names


def labels(run, folder, split="train_aug"):
    """The label of every image of the list: there is one of each, of its image's size, and nothing else."""
    names = ids(run, split)
    assert sorted(path.stem for path in folder.glob("*.png")) == sorted(names)
    assert not list(folder.glob("*.part"))
    found = {name: read_label(folder / f"{name}.png") for name in names}
    for name, label in found.items():
        with Image.open(run.house / "data/voc/JPEGImages" / f"{name}.jpg") as image:
            assert label.shape == image.size[::-1]
    return found


def shown(run):
    table = np.load(run.house / "data/voc/cls_labels.npy", allow_pickle=True).item()
    return {name: set(np.flatnonzero(table[int(name.replace("_", ""))]) + 1) for name in ids(run, "train_aug")}


def codes(label):
    return {int(code) for code in np.unique(label)}


def config(folder, subcommand):
    return yaml.safe_load((folder / f"{subcommand}.yaml").read_text())
