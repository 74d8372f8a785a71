"""From the centroids of all images to one debiased centroid per class (paper §3.2, Eq. 2–3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mars_pl.debias.defaults import ALPHA
from mars_pl.debias.distance import mean_in_order

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
        keys = list(zip(self.ids, self.classes.tolist(), self.clusters.tolist(), strict=True))
        return torch.tensor(sorted(range(len(keys)), key=keys.__getitem__), dtype=torch.long)


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


def share(count: int, alpha: float) -> int:
    """Return ⌈count·α⌉, the number of candidates that make the debiased centroid.

    Raises:
        ValueError: where α is not in (0, 1].
    """
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha is a share in (0, 1], got {alpha}")
    return math.ceil(count * alpha - TOLERANCE)


def select(candidates: Candidates, distances: Tensor, alpha: float = ALPHA) -> Tensor:
    """Eq. 3: mark, for each class, the α share of candidates that lie farthest from all background centroids.

    Args:
        candidates: foreground candidates in any order.
        distances: (N,) of Eq. 1.
        alpha: share taken of each class; the paper's value is .40.

    Returns:
        (N,) bool; of equal distances the lower (image id, cluster) is taken first.
    """
    selected = torch.zeros(len(candidates), dtype=torch.bool)
    order = candidates.order()
    for index in candidates.classes.unique().tolist():
        rows = order[candidates.classes[order] == index]
        farthest = rows[distances[rows].argsort(descending=True, stable=True)]
        selected[farthest[: share(len(rows), alpha)]] = True
    return selected


def debiased_centroids(candidates: Candidates, selected: Tensor, num_classes: int) -> Tensor:
    """Eq. 2: the mean of each class's selected candidates, each at unit length so that long vectors do not outweigh.

    Args:
        candidates: foreground candidates in any order.
        selected: (N,) bool.
        num_classes: background included.

    Returns:
        (num_classes, D) float32, not of unit length; zero for background and for a class without candidates.
    """
    centroids = torch.zeros(num_classes, candidates.vectors.shape[1])
    order = candidates.order()
    for index in range(1, num_classes):
        rows = order[(candidates.classes[order] == index) & selected[order]]
        if len(rows):
            centroids[index] = mean_in_order(F.normalize(candidates.vectors[rows].double(), dim=1)).float()
    return centroids
