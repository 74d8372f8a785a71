"""What a dashboard says of a data set: how many images its lists have, and how many of them show each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from datamodules.errors import DataError
from datamodules.files.image_labels import label_reader
from datamodules.files.tree import FIT_SPLIT, Tree
from mars_pl.pipeline.choices import Choices


def data_counts(choices: Choices, names: Sequence[str]) -> dict[str, Any]:
    """Count images and classes; what cannot be read is left out, since nothing depends on it.

    Args:
        choices: of the run.
        names: of the classes, background first.
    """
    tree = Tree(choices.root)
    images, shown = {}, Counter[str]()
    for split in dict.fromkeys((FIT_SPLIT, choices.train_split, choices.network_split)):
        if tree.list_file(split).is_file():
            images[split] = len(tree.ids(split))
    try:
        read = label_reader(choices.root, names)
        for image_id in tree.ids(FIT_SPLIT) if read else ():
            shown.update(name for name, value in zip(names[1:], read(image_id), strict=True) if value)  # type: ignore[misc]
    except DataError:
        shown.clear()
    counts: dict[str, Any] = {"name": choices.data, "root": choices.data_root, "classes": len(names), "images": images}
    return counts | ({"images_with": {name: shown[name] for name in names[1:]}} if shown else {})
