"""How far a foreground centroid lies from the background of all training images (paper §3.2, Eq. 1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mars_pl.debias.defaults import DISTANCE, NEAREST_COUNT, Distance

BLOCK = 1024
"""Candidates measured at a time: 1,024 × 20,000 cosines are 160 MB."""

Rows = tuple[Tensor, Tensor]
"""Classes (n,), 0 for background, and vectors (n, D) of candidates: a part of a table that may not fit into memory."""


def add_in_order(sums: Tensor, places: Tensor, vectors: Tensor) -> Tensor:
    """Add each vector to a row of the sums, one after the other, and return them.

    So the sums of a table are the same to the last bit however it is cut into parts and however many threads there are.

    Args:
        sums: (R, D) float64; changed.
        places: (n,) integers, the row of each vector.
        vectors: (n, D).
    """
    # On a CPU index_add_ goes through the vectors in their order; sum() has partial sums of its own.
    return sums.index_add_(0, places, vectors.double())


@dataclass(frozen=True)
class Background:
    """What Eq. 1 needs of all background centroids.

    Attributes:
        count: N_bg, how many there are.
        mean: (D,) float64 of the centroids as they are.
        reference: float64: (D,), the mean of the centroids at unit length, for distance ``mean``; else all of them,
            (N_bg, D).
        nearest_count: how many of them are averaged, of the latter.
    """

    count: int
    mean: Tensor
    reference: Tensor
    nearest_count: int

    def distances(self, table: Iterable[Rows]) -> Tensor:
        """Measure the foreground candidates of a table, (N,) float64 in [0, 1].

        Time and memory grow with N for ``mean``. The others compare all pairs, N·N_bg·D products, and hold the
        background: seconds for VOC, minutes for COCO; millions of images want ``mean``.
        """
        measured = [self._measure(block) for block in _blocks(vectors[classes > 0] for classes, vectors in table)]
        return torch.cat([torch.zeros(0, dtype=torch.float64), *measured])

    def _measure(self, candidates: Tensor) -> Tensor:
        if self.reference.ndim == 1:
            # A sum along each row: equal candidates get equal distances, which a matrix product does not promise.
            return (1 - (unit(candidates) * self.reference).sum(dim=1)) / 2
        nearest = (unit(candidates) @ self.reference.T).topk(min(self.nearest_count, self.count), dim=1)
        return (1 - nearest.values.mean(dim=1)) / 2


def find_background(
    table: Iterable[Rows], distance: Distance = DISTANCE, nearest_count: int = NEAREST_COUNT
) -> Background:
    """Go through a table for Eq. 1: D(v, v⁰) = (1 − S(v, v⁰)) / 2 over background centroids, S being the cosine.

    A cosine is linear in a unit vector, so the mean over N_bg cosines is one dot product with the mean of the unit
    background centroids: linear time, and exact.

    Args:
        table: candidates of all images.
        distance: the ``mean`` over all background centroids (Eq. 1), the ``minimum`` (as §1 argues), or the mean of the
            ``nearest``, or of all of fewer.
        nearest_count: how many, for ``nearest``.

    Raises:
        ValueError: for any other distance, or where background or foreground is missing.
    """
    if distance not in ("mean", "minimum", "nearest"):
        raise ValueError(f"distance {distance!r} is none of mean, minimum, nearest")
    sums, count, others, kept = torch.zeros(0), 0, 0, []
    for classes, vectors in table:
        own = vectors[classes == 0].double()
        at_unit_length = unit(own)
        if not sums.shape[-1]:
            sums = torch.zeros(1, 2 * vectors.shape[1], dtype=torch.float64)
        # side by side, for it is the number of additions that takes time and not their length
        add_in_order(sums, torch.zeros(len(own), dtype=torch.long), torch.cat([own, at_unit_length], dim=1))
        count, others = count + len(own), others + len(vectors) - len(own)
        if distance != "mean":
            kept.append(at_unit_length)
    if not count or not others:
        raise ValueError(f"{count} background and {others} foreground centroids, debiasing needs both")
    mean, centre = (sums[0] / count).chunk(2)
    nearest_count = 1 if distance == "minimum" else nearest_count
    return Background(count, mean, torch.cat(kept) if kept else centre, nearest_count)


def unit(vectors: Tensor) -> Tensor:
    """Bring (n, D) vectors to unit length, in float64."""
    return F.normalize(vectors.double(), dim=1)


def _blocks(parts: Iterable[Tensor]) -> Iterator[Tensor]:
    """Cut rows that come in parts into blocks of ``BLOCK``, the last one shorter.

    A matrix product may round a row otherwise in another block, so the parts must not show.
    """
    left: list[Tensor] = []
    for part in parts:
        *whole, rest = torch.cat([*left, part]).split(BLOCK)
        yield from whole
        left = [rest]
    yield from (block for block in left if len(block))
