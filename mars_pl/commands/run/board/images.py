"""Images in a dashboard: with their masks over them, and those first in which most is wrong or most was removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from datamodules.files.drawing import shown
from datamodules.files.image_size import opened_image
from datamodules.files.labels import label_codes, read_label
from datamodules.files.shards.place import Folder
from datamodules.files.tree import Tree
from mars_pl.commands.evaluate.mask_folders import Folders, count_image
from mars_pl.commands.file_loop import each_image
from mars_pl.commands.json_files import null_for_nan
from mars_pl.dashboards.items import Overlay, Table
from mars_pl.metrics.scores import Scores

MOST_ROWS, MOST_PICTURES = 200, 16
"""Of a table of images: its rows, and how many of them show the image."""

Masks = Mapping[str, Folder]
"""Folders of masks by the name to show; an image without a file, or with one of another size, goes without."""


def overlay(tree: Tree, image_id: str, folders: Masks) -> Overlay:
    """Read an image and the masks that lie over it."""
    with opened_image(tree.image(image_id)) as image:
        found = Overlay(image_id, np.array(image.convert("RGB")))
    for name, folder in folders.items():
        path = folder / f"{image_id}.png"
        label = read_label(path) if path.is_file() else None
        if label is not None and label.shape == found.picture.shape[:2]:
            found.masks[name] = shown(label)
    return found


def most_biased(tree: Tree, ids: Sequence[str], labels: Folder, names: Sequence[str], folders: Masks) -> Table:
    """Return the images of which most was removed as biased.

    Args:
        tree: the data set.
        ids: of the images.
        labels: folder of the debiased labels.
        names: of the classes, background first.
        folders: masks that are shown over the first images.
    """

    def removed(image_id: str) -> float:
        return float((read_label(labels / f"{image_id}.png") == label_codes(len(names)).biased).mean())

    shares = dict(zip(ids, each_image(removed, ids, "counting removed pixels"), strict=True))
    worst = sorted(shares, key=lambda image_id: (-shares[image_id], image_id))
    return _table(tree, worst, {"removed": shares}, folders)


def worst(tree: Tree, ids: Sequence[str], found: Folders, names: Sequence[str], folders: Masks) -> Table:
    """Return the images whose masks have the least IoU, a mean over the classes that truth or mask hold.

    Args:
        tree: the data set.
        ids: of the images.
        found: masks and truth.
        names: of the classes, background first.
        folders: masks that are shown over the first images.
    """
    ids = [image_id for image_id in ids if (found.truth / f"{image_id}.png").is_file()]
    count = partial(count_image, folders=found, num_classes=len(names))
    scores = {
        image_id: Scores.from_counts(counts.classes)
        for image_id, counts in zip(ids, each_image(count, ids, "looking for the worst images"), strict=True)
    }
    order = sorted(ids, key=lambda image_id: (scores[image_id].miou, image_id))
    figures: dict[str, dict[str, float | None]] = {
        name: {image_id: null_for_nan(getattr(one, name)) for image_id, one in scores.items()}
        for name in ("miou", "fp", "fn")
    }
    held = {
        image_id: ", ".join(name for name, value in zip(names[1:], one.iou[1:], strict=True) if not np.isnan(value))
        for image_id, one in scores.items()
    }
    return _table(tree, order, {"classes": held, **figures}, folders)


def _table(
    tree: Tree, order: Sequence[str], figures: Mapping[str, Mapping[str, float | str | None]], folders: Masks
) -> Table:
    rows = [
        [
            image_id,
            *(values[image_id] for values in figures.values()),
            overlay(tree, image_id, folders) if place < MOST_PICTURES else None,
        ]
        for place, image_id in enumerate(order[:MOST_ROWS])
    ]
    return Table(("image", *figures, "picture"), rows)
