"""Optimal transport between cells and classes, by which small classes get their share (DHR, core/ot_utils.py)."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

from mars_pl.networks.precision import at_least_single

LEAST = 1e-5
"""Smallest divisor of a range, as DHR has it."""


def transport_plan(
    similarity: Tensor,
    mass: Tensor | None = None,
    epsilon: float = 0.1,
    iterations: int = 100,
    tolerance: float = 1e-2,
) -> Tensor:
    """Return the plan of least cost 1 − similarity, smoothed by its entropy: Sinkhorn–Knopp with logarithms.

    Cells weigh alike, so rows sum to 1 / M nearly; columns sum to their class's mass exactly.

    Args:
        similarity: (…, M, N), of M cells with N classes, in [−1, 1].
        mass: (…, N), positive, summing to 1; ``None`` is 1 / N each, as published.
        epsilon: weight of the entropy; the smaller, the nearer to an assignment.
        iterations: at most so many rounds of scaling.
        tolerance: end where the mean factor of the rows moves by less; DHR's stops large maps after few rounds, since
            the factors shrink with M.

    Returns:
        (…, M, N), positive, float32 or better, summing to 1.

    Raises:
        ValueError: where epsilon is not positive or iterations are below 1.
    """
    if epsilon <= 0 or iterations < 1:
        raise ValueError(f"transport takes a positive epsilon and iterations from 1 on, not {epsilon} and {iterations}")
    kernel = (at_least_single(similarity) - 1) / epsilon
    cells, classes = kernel.shape[-2:]
    of_classes = torch.full_like(kernel[..., 0, :], 1 / classes) if mass is None else mass.to(kernel.dtype)
    row, column = torch.zeros_like(kernel[..., 0]), torch.zeros_like(kernel[..., 0, :])
    for _ in range(iterations):
        before = row
        row = -log(cells) - torch.logsumexp(kernel + column[..., None, :], dim=-1)
        column = of_classes.log() - torch.logsumexp(kernel + row[..., :, None], dim=-2)
        if (row.exp() - before.exp()).abs().mean(dim=-1).amax() < tolerance:
            break
    return (kernel + row[..., :, None] + column[..., None, :]).exp()


def to_unit_range(maps: Tensor, least: float = 0.0) -> Tensor:
    """Bring each map of (K, h, w) to [0, 1]; an even one is 0.

    Args:
        maps: (K, h, w).
        least: smallest divisor.
    """
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp(min=max(least, torch.finfo(maps.dtype).tiny))


def class_shares(
    maps: Tensor,
    mass: Tensor | None = None,
    epsilon: float = 0.1,
    iterations: int = 100,
    tolerance: float = 1e-2,
) -> Tensor:
    """Return the transport plan of (K, h, w) maps of K classes, each class brought to [0, 1] (DHR: f_OT).

    Args:
        maps: how like each cell is to each class.
        mass: (K,), positive, of any sum; ``None`` is the same for all.
        epsilon: see ``transport_plan``.
        iterations: likewise.
        tolerance: likewise.
    """
    shares = None if mass is None else mass / mass.sum()
    plan = transport_plan(maps.flatten(1).T, shares, epsilon, iterations, tolerance)
    return to_unit_range(plan.T.reshape(maps.shape), LEAST)
