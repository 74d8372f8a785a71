"""K-means of many regions at once in plain PyTorch, on the device of the features (paper §3.2).

Each region starts from the points from which scikit-learn's K-means starts with the same seed, and takes the same steps
until the same rest: what differs is rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

TOLERANCE = 1e-4
"""Centroids that move less have arrived: squares over all clusters, in mean variances of a channel (scikit-learn's)."""

SAME = 1e-14
"""Squared distance, in squares of the farthest point's from the mean, below which two points are one."""

ROUNDING = 3e-7
"""Share of the sum of squares around the mean by which the restarts' float32 sums may differ where they end alike."""


@torch.no_grad()
def batched_kmeans(
    regions: Sequence[Tensor], clusters: Sequence[int], seeds: Sequence[int], *, restarts: int, iterations: int
) -> list[tuple[Tensor, Tensor]]:
    """Cluster each region by ordinary K-means: greedy k-means++, several restarts, Lloyd's steps of all in one product.

    Regions are padded to the largest by points of weight 0. What is drawn for a region comes from its own seed, so that
    it does not matter which others stand beside it, nor on which device.

    Args:
        regions: R tensors (n, D), n ≥ 1, on one device.
        clusters: k ≥ 1 of each; fewer come back where there are fewer points, or fewer that differ.
        seeds: of each.
        restarts: of which the one with the smallest sum of squared distances counts.
        iterations: at most so many of Lloyd's steps.

    Returns:
        Of each region centroids (k', D) float32, the largest cluster first, and the assignment (n,) int64.

    Raises:
        ValueError: where a region has no point or a point that is not finite, or no cluster is wanted.
    """
    for region, k in zip(regions, clusters, strict=True):
        if len(region) == 0 or k < 1:
            raise ValueError(f"K-means needs a point and a cluster, got {len(region)} points and k = {k}")
    if not regions:
        return []
    device, counts = regions[0].device, torch.tensor([len(region) for region in regions])
    points = pad_sequence([region.detach().double() for region in regions], batch_first=True)  # (R, N, D)
    counts = counts.to(device)
    weights = (torch.arange(points.shape[1], device=device) < counts[:, None]).double()
    means = points.sum(1) / counts[:, None]
    points -= means[:, None]  # near 0, where squares lose least
    squares = points.square().sum(2) * weights
    if not bool(squares.isfinite().all()):
        raise ValueError("K-means of features that are not finite; look at the weights of their network")
    wanted = [min(k, len(region)) for k, region in zip(clusters, regions, strict=True)]
    # Starts in float64, which tells equal points from near ones; the steps, which only part groups, in float32.
    draws, limit = _draws(seeds, wanted, restarts).to(device), torch.tensor(wanted, device=device)
    centres, alive = _spread(points, squares, weights, limit, draws)
    with torch.autocast(device.type, enabled=False):  # half precision would move points between clusters
        centres, labels, inertia = _lloyd(
            points.float(), squares.float(), weights.float(), centres.float(), alive, iterations
        )
    # Of restarts that end alike the first counts, as in scikit-learn.
    best = (inertia <= inertia.amin(1, keepdim=True) + ROUNDING * squares.sum(1, keepdim=True)).long().argmax(1)
    return [
        largest_first((centres[row, pick].double() + means[row]).float(), labels[row, pick, : len(region)])
        for row, (pick, region) in enumerate(zip(best.tolist(), regions, strict=True))
    ]


def largest_first(centroids: Tensor, assignment: Tensor) -> tuple[Tensor, Tensor]:
    """Bring centroids (k, D) and the assignment (n,) into the order of falling sizes; empty clusters are left out."""
    sizes = assignment.bincount(minlength=len(centroids))
    order = sizes.argsort(descending=True, stable=True)
    order = order[sizes[order] > 0]
    rank = torch.zeros_like(sizes)
    rank[order] = torch.arange(len(order), device=rank.device)
    return centroids[order], rank[assignment]


def _draws(seeds: Sequence[int], clusters: Sequence[int], restarts: int) -> Tensor:
    """Uniform numbers (R, restarts, k, trials) float64, drawn in scikit-learn's order from each region's own seed.

    A first point has one trial and the others 2 + ⌊ln k⌋. Where a row has place for more, the first of the row stands
    there again, which changes nothing.
    """
    trials = [2 + int(math.log(k)) for k in clusters]
    drawn = np.zeros((len(seeds), restarts, max(clusters), max(trials)))
    for row, (seed, k, tried) in enumerate(zip(seeds, clusters, trials, strict=True)):
        stream = np.random.RandomState(seed).random_sample((restarts, 1 + (k - 1) * tried))
        later = stream[:, 1:].reshape(restarts, k - 1, tried)
        drawn[row, :, 0], drawn[row, :, 1:k] = stream[:, :1], later[:, :, :1]
        drawn[row, :, 1:k, :tried] = later
    return torch.from_numpy(drawn)


def _spread(points: Tensor, squares: Tensor, weights: Tensor, wanted: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
    """Greedy k-means++: centres (R, S, k, D), and (R, S, k) bool where there was a point to start from."""
    regions, restarts, clusters, _ = draws.shape
    same = SAME * squares.amax(1)[:, None, None]
    last = weights.sum(1).long()[:, None, None] - 1
    odds = weights[:, None].expand(-1, restarts, -1)
    nearest = torch.full_like(odds, torch.inf)
    centres, alive = points.new_zeros(regions, restarts, clusters, points.shape[2]), []
    rows = torch.arange(regions, device=points.device)[:, None]
    for slot in range(clusters):
        total, trials = odds.cumsum(2), draws[:, :, slot] if slot else draws[:, :, 0, :1]
        alive.append((total[..., -1] > 0) & (slot < wanted)[:, None])
        # The first point at which the sum of odds passes the number drawn; points of odds 0 are never it.
        drawn = torch.searchsorted(total, trials * total[..., -1:], right=True).minimum(last)
        tried = points[rows, drawn.flatten(1)]  # (R, S·trials, D)
        apart = squares[:, None] - 2 * tried @ points.mT + tried.square().sum(2, keepdim=True)
        apart = apart.unflatten(1, (restarts, -1))
        apart = torch.where(apart > same[..., None], apart, 0).minimum(nearest[:, :, None])
        best = (apart * weights[:, None, None]).sum(3).argmin(2)[..., None]  # (R, S, 1): leaves the least over
        centres[:, :, slot] = points[rows, drawn.gather(2, best)[..., 0]]
        nearest = apart.gather(2, best[..., None].expand(-1, -1, -1, apart.shape[3]))[:, :, 0]
        odds = nearest * weights[:, None]
    return centres, torch.stack(alive, 2)


def _lloyd(
    points: Tensor, squares: Tensor, weights: Tensor, centres: Tensor, alive: Tensor, iterations: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Lloyd's steps from (R, S, k, D) on: centres, the assignment (R, S, N) and the sum of squared distances (R, S)."""
    squares, slots = squares[:, None], torch.arange(centres.shape[2], device=points.device)[:, None]
    tolerance = TOLERANCE * squares.sum(2) / weights.sum(1)[:, None] / points.shape[2]  # (R, 1)
    rows = torch.arange(len(points), device=points.device)[:, None]

    def assign() -> tuple[Tensor, Tensor]:
        products = (centres.flatten(1, 2) @ points.mT).view(*centres.shape[:3], -1)
        apart = (centres.square().sum(3)[..., None] - 2 * products).masked_fill(~alive[..., None], torch.inf)
        least, labels = apart.min(2)
        return labels, (least + squares).clamp(min=0) * weights[:, None]

    labels, apart = assign()
    moving = torch.ones_like(labels[..., 0], dtype=torch.bool)
    for _ in range(iterations):
        members = (labels[:, :, None] == slots) * weights[:, None, None]  # (R, S, k, N)
        sizes = members.sum(3)
        means = (members.flatten(1, 2) @ points).view_as(centres) / sizes.clamp(min=1)[..., None]
        empty = alive & (sizes == 0)
        # A cluster that lost all its points starts again at the one that lies farthest from its centre.
        first = empty & (empty.cumsum(2) == 1)
        farthest = points[rows, apart.argmax(2)][:, :, None]
        means = torch.where(first[..., None], farthest, torch.where((sizes == 0)[..., None], centres, means))
        shift = (means - centres).square().sum((2, 3))
        # Where a restart has arrived it stays, so that the others' steps do not reach it.
        centres = torch.where(moving[..., None, None], means, centres)
        moving = moving & (shift > tolerance)
        labels, apart = assign()
        if not bool(moving.any()):
            break
    return centres, labels, apart.sum(2)
