"""What is measured of one image: IoU, FP and FN of each of its masks, what was removed from it and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.files.labels import Label, label_codes, read_label
from datamodules.files.shards.place import File, Folder
from mars_pl.commands.json_files import null_for_nan
from mars_pl.commands.report.images.choice import Removal, removal
from mars_pl.metrics.confusion import confusion_matrix
from mars_pl.metrics.scores import Scores

Figures = tuple[float | None, float | None, float | None]
"""IoU, FP and FN of one mask: `Scores`' means over the classes that the image or the mask holds."""


@dataclass(frozen=True)
class ImageFigures:
    """The figures of one image.

    Attributes:
        image_id: its id.
        figures: by the mask's name; a mask without truth or file is left out.
        confusion: by the mask's name, (C, C) with truth in rows; `measure_all` sums them and keeps none.
        removal: what Yᵈᵇ took from Yᵇ; None where either is missing or Yᵇ shows no object.
        restored: share of Yᵈᵇ's biased pixels that Yᶜᵒ calls an object again; None where there is none.
        drawn: class ids that any of the masks holds.
        true: class ids that the truth holds; None where there is none.
    """

    image_id: str
    figures: Mapping[str, Figures]
    confusion: Mapping[str, NDArray[np.int64]]
    removal: Removal | None
    restored: float | None
    drawn: tuple[int, ...]
    true: tuple[int, ...] | None


@dataclass(frozen=True)
class Measured:
    """The figures of many images.

    Attributes:
        images: in their order.
        confusion: by the mask's name, (C, C) of all images together.
    """

    images: list[ImageFigures]
    confusion: Mapping[str, NDArray[np.int64]]


def measure_all(images: Iterable[ImageFigures]) -> Measured:
    """Sum the confusion matrices as the images come: with many classes those of all would fill the memory."""
    kept, total = [], dict[str, NDArray[np.int64]]()
    for image in images:
        for key, counts in image.confusion.items():
            total[key] = total[key] + counts if key in total else counts
        kept.append(replace(image, confusion={}))
    return Measured(kept, total)


def measure_image(
    image_id: str,
    masks: Mapping[str, Folder],
    truth: Folder | None,
    num_classes: int,
    over: Sequence[int] | None = None,
) -> ImageFigures:
    """Measure the masks of one image.

    Args:
        image_id: its id.
        masks: folders of `<id>.png` by the mask's name: `pseudo`, `debiased`, `complemented`, and predictions.
        truth: folder of the truth, None where there is none.
        num_classes: with the background.
        over: class ids that the means are taken over; None takes all.

    Raises:
        DataError: where a mask is damaged, of another size than the truth or its Yᵇ, or the truth holds no class.
    """
    name = f"{image_id}.png"
    labels = {key: read_label(folder / name, num_classes) for key, folder in masks.items() if (folder / name).is_file()}
    true = read_label(truth / name, num_classes) if truth is not None and (truth / name).is_file() else None
    confusion, figures = {}, {}
    if true is not None:
        for key, label in labels.items():
            confusion[key] = _counted(masks[key] / name, label, true, num_classes)
            scores = Scores.from_confusion(confusion[key], over)
            figures[key] = (null_for_nan(scores.miou), null_for_nan(scores.fp), null_for_nan(scores.fn))
    before, after, filled = (labels.get(key) for key in ("pseudo", "debiased", "complemented"))
    removed = restored = None
    if before is not None and after is not None:
        removed = removal(image_id, before, after, masks["debiased"] / name)
    if after is not None and filled is not None:
        restored = _restored(after, filled, num_classes)
    drawn = sorted({index for label in labels.values() for index in _objects(label, num_classes)})
    holds = None if true is None else _objects(true, num_classes)
    return ImageFigures(image_id, figures, confusion, removed, restored, tuple(drawn), holds)


def _objects(label: Label, num_classes: int) -> tuple[int, ...]:
    return tuple(int(index) for index in np.unique(label) if 0 < index < num_classes)


def _counted(path: File, label: Label, truth: Label, num_classes: int) -> NDArray[np.int64]:
    try:
        return confusion_matrix(label, truth, num_classes, label_codes(num_classes).ignored)
    except ValueError as error:
        raise DataError(f"{path}: {error}; are masks, truth and class names of one data set?") from None


def _restored(debiased: Label, complemented: Label, num_classes: int) -> float | None:
    biased = debiased == label_codes(num_classes).biased
    if debiased.shape != complemented.shape or not biased.any():
        return None
    again = (complemented > 0) & (complemented < num_classes)
    return float(again[biased].mean())
