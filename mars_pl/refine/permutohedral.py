"""Gaussian filtering in many dimensions on a permutohedral lattice (Adams, Baek and Davis 2010)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mars_pl.refine.lattice_codes import corner_codes, neighbours_of


@dataclass(frozen=True)
class PermutohedralLattice:
    """Lattice points around the points of a batch, and how values come there, spread and come back.

    A sum over all pairs of points, weighed by exp(−|difference|² / 2), costs n² in the open; here each point gives its
    value to the d + 1 corners of the simplex it lies in, the corners are blurred with their neighbours, and the point
    reads its corners. Time and memory grow with n · d. The kernel is near a Gaussian, up to a factor.

    Attributes:
        corners: (d + 1, B · N) places of each point's corners among the L lattice points of the whole batch.
        weights: (d + 1, B · N) float32 barycentric weights of the corners; they sum to 1.
        neighbours: int32 (d + 1, 2, L + 1) places of the two neighbours along each axis; L where there is none.
    """

    corners: Tensor
    weights: Tensor
    neighbours: Tensor

    @classmethod
    def around(cls, points: Tensor) -> PermutohedralLattice:
        """Build the lattice of a batch of point sets, which share no lattice point.

        Args:
            points: (B, d, N) float32, in standard deviations of the Gaussian.

        Raises:
            ValueError: where the points lie so far apart that int64 cannot number the lattice between them.
        """
        batch, dimensions, count = points.shape
        elevated = _elevate(points.transpose(0, 1).reshape(dimensions, batch * count))
        origin, rank = _simplex(elevated)
        codes, strides = corner_codes(origin, rank, batch)
        lattice, corners = codes.unique(return_inverse=True)
        return cls(corners, _barycentric_weights(elevated - origin, rank), neighbours_of(lattice, strides))

    def normalised(self, strength: float = 1.0) -> PermutohedralLattice:
        """Return the lattice whose filter is ``strength`` · D^−½ K D^−½, where K is this one's and D its row sums."""
        sums = self.filter(torch.ones_like(self.weights[:1]))
        return replace(self, weights=self.weights * (strength / sums).sqrt())

    def filter(self, values: Tensor) -> Tensor:
        """Return (C, B · N) float32 values, each image's points after those of the image before, filtered."""
        if values.device.type == "cpu":  # a channel at a time stays in the processor's cache
            return torch.stack([self._filter(channel) for channel in values])
        return self._filter(values)

    def _filter(self, values: Tensor) -> Tensor:
        """Filter (B · N) or (C, B · N)."""
        # One column more than lattice points: it stays zero and stands for every neighbour that is missing.
        spread = values.new_zeros(*values.shape[:-1], self.neighbours.shape[2])
        one, other, part = torch.empty_like(spread), torch.empty_like(spread), torch.empty_like(values)
        for corner, weight in zip(self.corners, self.weights, strict=True):
            spread.index_add_(-1, corner, torch.mul(values, weight, out=part))
        for first, second in self.neighbours:
            torch.index_select(spread, -1, first, out=one)
            torch.index_select(spread, -1, second, out=other)
            spread.add_(one.add_(other), alpha=0.5)  # [½ 1 ½] along this axis
        filtered = torch.zeros_like(values)
        for corner, weight in zip(self.corners, self.weights, strict=True):
            filtered.addcmul_(torch.index_select(spread, -1, corner, out=part), weight)
        # The published factor, by which a blurred 1 is near 1 where all neighbours are there.
        return filtered.mul_(1 / (1 + 2.0 ** (1 - len(self.corners))))


def _elevate(points: Tensor) -> Tensor:
    """Map (d, n) into the plane of d + 1 coordinates that sum to 0, scaled so that splat, blur and slice have σ = 1."""
    dimensions = len(points)
    deviation = (2 / 3) ** 0.5 * (dimensions + 1)
    elevated = points.new_empty(dimensions + 1, points.shape[1])
    above = torch.zeros_like(points[0])  # the sum of the scaled coordinates from the last to this one
    for axis in range(dimensions, 0, -1):
        scaled = points[axis - 1] * (deviation / (axis * (axis + 1)) ** 0.5)
        elevated[axis] = above - axis * scaled
        above = above + scaled
    elevated[0] = above
    return elevated


def _simplex(elevated: Tensor) -> tuple[Tensor, Tensor]:
    """Find the simplex around each point.

    Returns:
        Its corner with remainder 0, (d + 1, n) float32 multiples of d + 1 that sum to 0; and each coordinate's rank by
        its distance from that corner, (d + 1, n) int64, 0 for the farthest.
    """
    sides = len(elevated)
    origin = (elevated / sides).round_()
    excess = origin.sum(dim=0)
    origin *= sides
    distance = elevated - origin
    rank = torch.zeros_like(elevated)
    for first in range(sides - 1):  # d + 1 is small: counting pairs is quicker than a sort
        nearer = (distance[first] < distance[first + 1 :]).to(rank.dtype)
        rank[first] += nearer.sum(dim=0)
        rank[first + 1 :] += 1 - nearer
    # Rounded coordinates need not sum to 0: those that were rounded the most go back by one step.
    rank += excess
    step = (rank < 0).to(rank.dtype) - (rank >= sides).to(rank.dtype)
    return origin.add_(step, alpha=sides), rank.add_(step, alpha=sides).long()


def _barycentric_weights(distance: Tensor, rank: Tensor) -> Tensor:
    """Weigh the d + 1 corners, by remainder, from the (d + 1, n) distances to the corner with remainder 0."""
    sides = len(distance)
    # Sorted by rank the differences of neighbours are the weights; remainder 0 also gets what is left of 1.
    ordered = torch.empty_like(distance).scatter_(0, sides - 1 - rank, distance / sides)
    weights = ordered - ordered.roll(1, dims=0)
    weights[0] += 1
    return weights
