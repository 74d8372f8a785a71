"""What a dashboard says of a data set: how many images its lists have, and how many of them show each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datamodules.errors import DataError
from datamodules.files.image_labels import read_image_labels
from datamodules.files.tree import FIT_SPLIT, Tree
from mars_pl.pipeline.choices import Choices


def data_counts(choices: Choices, names: Sequence[str]) -> dict[str, Any]:
    """Count images and classes; what cannot be read is left out, since nothing depends on it.

    Args:
        choices: of the run.
        names: of the classes, background first.
    """
    tree = Tree(choices.root)
    images: dict[str, int] = {}
    shown: dict[str, int] = {}
    for split in dict.fromkeys((FIT_SPLIT, choices.train_split, choices.network_split)):
        if tree.list_file(split).is_file():
            images[split] = len(tree.ids(split))
    try:
        labels = read_image_labels(choices.root, tree.ids(FIT_SPLIT), names)
        if labels is not None and labels.counts().any():
            shown = dict(zip(names[1:], labels.counts().tolist(), strict=True))
    except DataError:
        pass
    counts: dict[str, Any] = {"name": choices.data, "root": choices.data_root, "classes": len(names), "images": images}
    return counts | ({"images_with": shown} if shown else {})
