"""From the centroids of all images to one debiased centroid per class (paper §3.2, Eq. 2–3)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import torch
from torch import Tensor

from mars_pl.debias.defaults import ALPHA
from mars_pl.debias.distance import Rows, add_in_order, unit

TOLERANCE = 1e-9
"""Keeps ⌈N·α⌉ from rounding up a product that only float error lifts above a whole number."""


@dataclass  # not frozen: Lightning moves what predict returns
class Candidates:
    """Centroids of many regions, a row each.

    Attributes:
        ids: N image ids.
        classes: (N,) int64, class index; 0 for background.
        clusters: (N,) int64, number within the region, the largest cluster first.
        pixels: (N,) int64, pixels of the region that are nearest to this centroid.
        vectors: (N, D) float32 of unit length.
    """

    ids: tuple[str, ...]
    classes: Tensor
    clusters: Tensor
    pixels: Tensor
    vectors: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Tensor) -> Candidates:
        """Return the rows of an index or bool tensor, in its order."""
        index = rows.nonzero().flatten() if rows.dtype == torch.bool else rows
        ids = tuple(self.ids[row] for row in index.tolist())
        return Candidates(ids, self.classes[index], self.clusters[index], self.pixels[index], self.vectors[index])

    def order(self) -> Tensor:
        """Return the rows' order by image id, then class, then cluster: the order in which all sums are taken."""
        places = {image_id: place for place, image_id in enumerate(sorted(set(self.ids)))}
        images = np.array([places[image_id] for image_id in self.ids], dtype=np.int64)
        return torch.from_numpy(np.lexsort((self.clusters.numpy(), self.classes.numpy(), images)))


_NO_NUMBERS = torch.zeros(0, dtype=torch.long)
NO_CANDIDATES = Candidates((), _NO_NUMBERS, _NO_NUMBERS.clone(), _NO_NUMBERS.clone(), torch.zeros(0, 0))
"""The table of no images, whose D is not known."""


def join(parts: Sequence[Candidates]) -> Candidates:
    """Put the rows of several tables under one another; the vectors of all that are not empty have the same D."""
    parts = [part for part in parts if len(part)] or [NO_CANDIDATES]
    return Candidates(
        tuple(image_id for part in parts for image_id in part.ids),
        torch.cat([part.classes for part in parts]),
        torch.cat([part.clusters for part in parts]),
        torch.cat([part.pixels for part in parts]),
        torch.cat([part.vectors for part in parts]),
    )


@overload
def share(count: int, alpha: float) -> int: ...
@overload
def share(count: Tensor, alpha: float) -> Tensor: ...
def share(count: int | Tensor, alpha: float) -> int | Tensor:
    """Return ⌈count·α⌉, the number of candidates that make the debiased centroid; of one class, or of each.

    Raises:
        ValueError: where α is not in (0, 1].
    """
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha is a share in (0, 1], got {alpha}")
    if isinstance(count, Tensor):
        return (count.double() * alpha - TOLERANCE).ceil().long()
    return math.ceil(count * alpha - TOLERANCE)


def select(classes: Tensor, distances: Tensor, alpha: float = ALPHA) -> Tensor:
    """Eq. 3: mark, for each class, the α share of candidates that lie farthest from all background centroids.

    One sort for all classes.

    Args:
        classes: (N,) of the foreground candidates, in the order of image id, class and cluster.
        distances: (N,) of Eq. 1.
        alpha: share taken of each class; the paper's value is .40.

    Returns:
        (N,) bool; of equal distances the lower (image id, cluster) is taken first.
    """
    return take_farthest(classes, distances, share(classes.bincount(), alpha))


def take_farthest(classes: Tensor, distances: Tensor, wanted: Tensor) -> Tensor:
    """Mark so many of each class, the farthest first.

    Args:
        classes: see ``select``.
        distances: see ``select``.
        wanted: how many of each class.

    Returns:
        (N,) bool.
    """
    farthest = distances.argsort(descending=True, stable=True)
    order = farthest[classes[farthest].argsort(stable=True)]  # by class, in each the farthest first
    counts = classes.bincount()
    place_in_class = torch.arange(len(order)) - (counts.cumsum(0) - counts).repeat_interleave(counts)
    selected = torch.zeros(len(classes), dtype=torch.bool)
    selected[order] = place_in_class < wanted.repeat_interleave(counts)
    return selected


def class_means(table: Iterable[Rows], selected: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Eq. 2: the mean of each class's selected candidates, each at unit length so that long vectors do not outweigh.

    Args:
        table: in the order of image id, class and cluster; background is passed over.
        selected: (N,) bool of the foreground candidates.
        num_classes: background included.

    Returns:
        (num_classes, D) float32, not of unit length; zero for background and for a class without candidates.
        And (num_classes,) int64, how many were averaged.
    """
    sums, counts, start = torch.zeros(num_classes, 0), torch.zeros(num_classes, dtype=torch.long), 0
    for classes, vectors in table:
        if not sums.shape[1]:
            sums = torch.zeros(num_classes, vectors.shape[1], dtype=torch.float64)
        rows = (classes > 0).nonzero().flatten()
        rows, start = rows[selected[start : start + len(rows)]], start + len(rows)
        add_in_order(sums, classes[rows], unit(vectors[rows]))
        counts += classes[rows].bincount(minlength=num_classes)
    return (sums / counts.clamp(min=1)[:, None]).float(), counts
