"""How far a foreground centroid lies from the background of all training images (paper §3.2, Eq. 1)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mars_pl.debias.defaults import DISTANCE, NEAREST_COUNT, Distance

BLOCK = 1024
"""Candidates compared with all background centroids at a time: 1,024 × 20,000 cosines are 160 MB."""


def mean_in_order(vectors: Tensor) -> Tensor:
    """Average (n, D) rows in float64, added in their order, so that the number of threads does not matter."""
    # NumPy adds the rows of a contiguous array in their order; torch.sum may not.
    return torch.from_numpy(vectors.double().contiguous().numpy().sum(axis=0)) / len(vectors)


def mean_distance(candidates: Tensor, background: Tensor) -> Tensor:
    """Eq. 1: the mean of D(v, v⁰) = (1 − S(v, v⁰)) / 2 over all background centroids, S being the cosine.

    A cosine is linear in a unit vector, so the mean over N_bg cosines is one dot product with the mean of the unit
    background centroids: linear time, and exact.

    Args:
        candidates: (N, D) foreground centroids of any length.
        background: (N_bg, D) background centroids of any length.

    Returns:
        (N,) float64 in [0, 1].

    Raises:
        ValueError: where there is no background centroid.
    """
    centre = mean_in_order(_unit_background(background))
    # A sum along each row: equal candidates get equal distances, which a matrix product does not promise.
    return (1 - (_unit(candidates) * centre).sum(dim=1)) / 2


def minimum_distance(candidates: Tensor, background: Tensor) -> Tensor:
    """Distance to the nearest background centroid, as §1 argues (Eq. 1: the mean); else as ``mean_distance``."""
    return nearest_distance(candidates, background, k=1)


def nearest_distance(candidates: Tensor, background: Tensor, k: int = NEAREST_COUNT) -> Tensor:
    """Mean distance to the ``k`` nearest background centroids, or to all of fewer; else as ``mean_distance``."""
    reference = _unit_background(background)
    k = min(k, len(reference))
    blocks = [
        (1 - (_unit(block) @ reference.T).topk(k, dim=1).values.mean(dim=1)) / 2 for block in candidates.split(BLOCK)
    ]
    return torch.cat(blocks)


def background_distance(
    candidates: Tensor, background: Tensor, distance: Distance = DISTANCE, k: int = NEAREST_COUNT
) -> Tensor:
    """Measure by name: ``mean`` (Eq. 1), ``minimum`` or ``nearest`` (with ``k``).

    Raises:
        ValueError: for any other name, or where there is no background centroid.
    """
    if distance == "mean":
        return mean_distance(candidates, background)
    if distance == "minimum":
        return minimum_distance(candidates, background)
    if distance == "nearest":
        return nearest_distance(candidates, background, k)
    raise ValueError(f"distance {distance!r} is none of mean, minimum, nearest")


def _unit(vectors: Tensor) -> Tensor:
    return F.normalize(vectors.double(), dim=1)


def _unit_background(background: Tensor) -> Tensor:
    if len(background) == 0:
        raise ValueError("no background centroid: Eq. 1 needs labels in which some pixels are background (0)")
    return _unit(background)
