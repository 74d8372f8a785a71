"""Counts of a folder of masks against a folder of truths: everything that ``mars evaluate`` prints is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.files.image_list import read_ids
from datamodules.files.labels import Label, label_codes, read_label
from datamodules.files.shards.place import File, Folder
from datamodules.files.shards.shard_folder import ShardFolder
from mars_pl.commands.file_loop import ids_in
from mars_pl.metrics.confusion import class_counts


@dataclass(frozen=True)
class Folders:
    """Where the masks of one evaluation lie, each as ``<image id>.png``, in shards too.

    Args:
        predictions: masks to score.
        truth: what is right; ignored pixels are skipped.
        companion: companion masks, a pixel's value the class whose companion it is.
        reference: labels Yᵇ whose right object pixels should stay right.
    """

    predictions: Path | ShardFolder
    truth: Folder
    companion: Folder | None = None
    reference: Folder | None = None

    def ids(self, names: Path | None) -> Sequence[str]:
        """Return the image ids to score: those in the list ``names``, or else those that have a prediction, sorted.

        Raises:
            DataError: where there are none, or the list names an image twice.
        """
        return ids_in(self.predictions, ".png") if names is None else read_ids(names)


@dataclass(frozen=True)
class Counts:
    """Pixels of one image, or of all: integers, so that their sum does not depend on an order.

    Args:
        classes: shape (3, C), pixels of each class that are right, predicted and true.
        companion: shape (C,), companion pixels by the class they accompany.
        companion_labelled: shape (C,), those of them that the prediction calls an object of any class.
        right_before: shape (C,), object pixels that are right in the reference, by class.
        right_still: shape (C,), those of them that are right in the prediction.
    """

    classes: NDArray[np.int64]
    companion: NDArray[np.int64]
    companion_labelled: NDArray[np.int64]
    right_before: NDArray[np.int64]
    right_still: NDArray[np.int64]

    @classmethod
    def none(cls, num_classes: int) -> Counts:
        """Return the counts of no image."""
        nothing = np.zeros(num_classes, dtype=np.int64)
        return cls(np.zeros((3, num_classes), dtype=np.int64), nothing, nothing, nothing, nothing)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.classes + other.classes,
            self.companion + other.companion,
            self.companion_labelled + other.companion_labelled,
            self.right_before + other.right_before,
            self.right_still + other.right_still,
        )


def count_image(name: str, folders: Folders, num_classes: int) -> Counts:
    """Count one image.

    Args:
        name: image id.
        folders: where its masks lie.
        num_classes: with the background.

    Raises:
        DataError: where a file is missing, has another size than the truth, or holds codes that are no class.
    """
    truth_path = folders.truth / f"{name}.png"
    truth = read_label(truth_path, num_classes)
    prediction = _read(folders.predictions / f"{name}.png", num_classes, truth)
    ignored = label_codes(num_classes).ignored
    try:
        classes = class_counts(prediction, truth, num_classes, ignored)
    except ValueError as error:
        raise DataError(f"{truth_path}: {error}; are these the class names?") from None
    is_object = (prediction > 0) & (prediction < num_classes)
    companion = labelled = before = still = np.zeros(num_classes, dtype=np.int64)
    if folders.companion is not None:
        of_class = _read(folders.companion / f"{name}.png", num_classes, truth)
        companion, labelled = _by_class(of_class, num_classes), _by_class(of_class[is_object], num_classes)
    if folders.reference is not None:
        reference = _read(folders.reference / f"{name}.png", num_classes, truth)
        right = (truth != ignored) & (reference == truth)
        before = _by_class(truth[right], num_classes)
        still = _by_class(truth[right & (prediction == truth)], num_classes)
    return Counts(classes, companion, labelled, before, still)


def _read(path: File, num_classes: int, truth: Label) -> Label:
    """Read a mask of the truth's size; a code between the classes and the biased one means another data set."""
    mask = read_label(path, num_classes)
    strange = mask[(mask >= num_classes) & (mask < label_codes(num_classes).biased)]
    if strange.size:
        raise DataError(f"{path}: holds {strange[0]}, classes go to {num_classes - 1}; are these the class names?")
    if mask.shape != truth.shape:
        sizes = " and ".join(f"{width}×{height}" for height, width in (mask.shape, truth.shape))
        raise DataError(f"{path}: mask and truth differ in size, {sizes}; write masks at the size of their image")
    return mask


def _by_class(codes: Label, num_classes: int) -> NDArray[np.int64]:
    """Count pixels by class; background, or no companion, is not counted."""
    counts = np.bincount(codes[codes < num_classes].ravel(), minlength=num_classes).astype(np.int64)
    counts[0] = 0
    return counts
