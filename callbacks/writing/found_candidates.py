"""Candidates of the centroids stage: what one image gives to its journal, and the table of all images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from callbacks.writing.journal import Done
from mars_pl.debias.centroids import Candidates, join
from mars_pl.debias.image_candidates import ImageCandidates
from mars_pl.debias.region_iou import region_iou

COLUMNS = ("classes", "clusters", "pixels", "vectors")


class ImageFound(TypedDict):
    """Of one image: the columns of its candidates by name, their IoU, and the classes without a cell of their own."""

    columns: dict[str, NDArray[Any]]
    iou: NDArray[np.float64]
    empty: list[int]


@dataclass(frozen=True)
class Found:
    """Candidates of some images.

    Attributes:
        candidates: N rows, background among them, in the order of image id, class and cluster.
        iou: (N,) float64, NaN where there is no truth.
        images: how many were looked at.
        empty: (num_classes,) int64, in how many of them a class had no cell of its own.
    """

    candidates: Candidates
    iou: Tensor
    images: int
    empty: Tensor


def columns(candidates: Candidates) -> dict[str, Tensor]:
    """Return the tensors of a table by name, as a file takes them."""
    return {name: getattr(candidates, name).contiguous() for name in COLUMNS}


def found_in_image(found: ImageCandidates, label: Tensor, truth: Tensor | None, ignore_index: int) -> ImageFound:
    """Measure the region of each candidate where there is truth.

    Args:
        found: what the module found.
        label: (H, W), the regions.
        truth: (H, W), or None.
        ignore_index: of the truth.
    """
    classes = found.candidates.classes.tolist()
    iou = np.full(len(classes), np.nan)
    if truth is not None:
        for row, index in enumerate(classes):
            iou[row] = region_iou(found.region(row, label), truth, index, ignore_index)
    tables = {name: tensor.numpy() for name, tensor in columns(found.candidates).items()}
    return {"columns": tables, "iou": iou, "empty": list(found.empty)}


def all_found(done: Sequence[Done[ImageFound]], num_classes: int) -> Found:
    """Bring the images together as one table."""
    parts = [
        Candidates((one.id,) * len(one.result["iou"]), *(torch.from_numpy(one.result["columns"][n]) for n in COLUMNS))
        for one in done
    ]
    candidates = join(parts)
    order = candidates.order()
    iou = torch.cat([torch.zeros(0, dtype=torch.float64), *(torch.from_numpy(one.result["iou"]) for one in done)])
    empty = torch.tensor([index for one in done for index in one.result["empty"]], dtype=torch.long)
    return Found(candidates.take(order), iou[order], len(done), empty.bincount(minlength=num_classes))
