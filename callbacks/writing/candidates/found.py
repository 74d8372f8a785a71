"""What one image gives to its journal: its candidates, and how well their regions cover the object."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mars_pl.debias.image_candidates import ImageCandidates
from mars_pl.debias.region_iou import region_iou


class ImageFound(TypedDict):
    """Of one image: the columns of its n candidates, and the classes without a cell of their own.

    ``classes``, ``clusters`` and ``pixels`` are int64 (n,), in the order of class and cluster, background first;
    ``vectors`` float32 (n, D); ``iou`` float64 (n,), NaN for background and where there is no truth.
    """

    classes: NDArray[np.int64]
    clusters: NDArray[np.int64]
    pixels: NDArray[np.int64]
    vectors: NDArray[np.float32]
    iou: NDArray[np.float64]
    empty: list[int]


def found_in_image(found: ImageCandidates, label: Tensor, truth: Tensor | None, ignore_index: int) -> ImageFound:
    """Measure the region of each foreground candidate where there is truth.

    Args:
        found: what the module found.
        label: (H, W), the regions.
        truth: (H, W), or None.
        ignore_index: of the truth.
    """
    candidates = found.candidates
    iou = np.full(len(candidates), np.nan)
    for row, index in enumerate(candidates.classes.tolist()):
        if truth is not None and index:
            iou[row] = region_iou(found.region(row, label), truth, index, ignore_index)
    names: Any = ("classes", "clusters", "pixels", "vectors")
    columns = {name: getattr(candidates, name).contiguous().numpy() for name in names}
    return ImageFound(**columns, iou=iou, empty=list(found.empty))  # type: ignore[typeddict-item]
