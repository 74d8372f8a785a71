"""A tiny VOC tree for the tests: VOC 2012's own layout, images of 40–64 pixels with coloured shapes.

Class ids 1, 2 and 3 are VOC's first names, so that the same tree serves a data set of 4 classes and one of 21.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datamodules.files.labels import IGNORED, write_label

CLASSES = ("aeroplane", "bicycle", "bird")
"""Foreground names of the fake tree: class ids 1, 2, 3."""

COLOURS = ((220, 40, 40), (40, 200, 60), (50, 70, 230))
COMPANION = (200, 200, 60)


def make_voc_tree(
    root: Path,
    images: int = 8,
    *,
    seed: int = 0,
    image_labels: Literal["xml", "npy", "npy_str", "none"] = "xml",
    classes: int = len(CLASSES),
    names: Sequence[str] = CLASSES,
    vector: int = 20,
    pseudo: str | None = None,
) -> list[str]:
    """Write a tree in VOC's layout under `root` and return all image ids, in order.

    Image i shows class i % classes + 1 (every third image a second class too) on a grey, noisy ground, with a yellow
    companion bar right of the first object. Lists: `train_aug` the first three quarters, `train` the first half, `val`
    the rest (at least one each), `all` everything. Every image has both truths,
    `SegmentationClass` (a line of 255 on top of each object) and `SegmentationClassAug` (without it).

    Args:
        root: folder to write; made where it is absent.
        images: number of images, at least 2.
        seed: of sizes, places and noise.
        image_labels: `xml` writes Annotations, `npy` cls_labels.npy with integer ids, `npy_str` with str ids.
        classes: how many of the names are used.
        names: foreground names, class id 1 first.
        vector: length of the vectors in cls_labels.npy.
        pseudo: name of a folder for pseudo labels in which the companion is called the object (a biased object).
    """
    rng = np.random.default_rng(seed)
    ids = [f"2007_{number + 1:06d}" for number in range(images)]
    shown: dict[str, list[int]] = {}
    for index, image_id in enumerate(ids):
        shown[image_id] = sorted({index % classes + 1, *([(index + 1) % classes + 1] if index % 3 == 2 else [])})
        image, truth, companion = _draw(rng, shown[image_id])
        _image(root, image_id, image)
        bordered = truth.copy()
        edge = (truth != 0) & (np.roll(truth, 1, axis=0) == 0)
        bordered[edge] = IGNORED
        _label(root / "SegmentationClass", image_id, bordered)
        _label(root / "SegmentationClassAug", image_id, truth)
        if pseudo is not None:
            _label(root / pseudo, image_id, np.where(companion, shown[image_id][0], truth).astype(np.uint8))
    _lists(root, ids)
    _image_labels(root, shown, image_labels, names, vector)
    return ids


def _draw(rng: np.random.Generator, shown: list[int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    height, width = (int(side) for side in rng.integers(40, 65, size=2))
    image = rng.integers(90, 130, size=(height, width, 1)).repeat(3, axis=2)
    truth = np.zeros((height, width), dtype=np.uint8)
    companion = np.zeros((height, width), dtype=bool)
    for place, class_id in enumerate(shown):
        side = int(rng.integers(10, 15))
        top, left = 3 + place * 18 + int(rng.integers(0, 3)), 3 + int(rng.integers(0, 10))
        truth[top : top + side, left : left + side] = class_id
        if place == 0:
            companion[top + 4 : top + 9, left + side : left + side + 10] = True
    companion &= truth == 0
    noise = rng.integers(-10, 11, size=(height, width, 3))
    for class_id, colour in enumerate(COLOURS, start=1):
        image[truth == class_id] = colour
    image[companion] = COMPANION
    return np.clip(image + noise, 0, 255).astype(np.uint8), truth, companion


def _image(root: Path, image_id: str, image: NDArray[np.uint8]) -> None:
    folder = root / "JPEGImages"
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(folder / f"{image_id}.jpg", quality=95)


def _label(folder: Path, image_id: str, label: NDArray[np.uint8]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_label(folder / f"{image_id}.png", label)


def _lists(root: Path, ids: list[str]) -> None:
    folder = root / "ImageSets" / "Segmentation"
    folder.mkdir(parents=True, exist_ok=True)
    cut = min(max(len(ids) * 3 // 4, 1), len(ids) - 1)
    parts = {"train_aug": ids[:cut], "train": ids[: max(len(ids) // 2, 1)], "val": ids[cut:], "all": ids}
    for split, members in parts.items():
        (folder / f"{split}.txt").write_text("".join(f"{image_id}\n" for image_id in members))


def _image_labels(root: Path, shown: dict[str, list[int]], kind: str, names: Sequence[str], vector: int) -> None:
    if kind == "xml":
        folder = root / "Annotations"
        folder.mkdir(parents=True, exist_ok=True)
        for image_id, class_ids in shown.items():
            objects = "".join(
                f"<object><name>{names[class_id - 1]}</name><part><name>head</name></part></object>"
                for class_id in class_ids
            )
            (folder / f"{image_id}.xml").write_text(f"<annotation>{objects}</annotation>")
    elif kind in ("npy", "npy_str"):
        table: dict[int | str, NDArray[np.float32]] = {}
        for image_id, class_ids in shown.items():
            hot = np.zeros(vector, dtype=np.float32)
            hot[np.array(class_ids) - 1] = 1
            table[int(image_id.replace("_", "")) if kind == "npy" else image_id] = hot
        np.save(root / "cls_labels.npy", np.array(table, dtype=object), allow_pickle=True)
