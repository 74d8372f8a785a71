"""Soft assignments that use every prototype alike (SwAV's Sinkhorn–Knopp, as Leopart takes it for tokens)."""

from __future__ import annotations

import torch
from torch import Tensor

from mars_pl.networks.precision import at_least_single
from mars_pl.training.over_processes import sum_over_processes


def sinkhorn(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    """Scale exp(scores / epsilon) in turn until prototypes share the tokens evenly and each token's shares sum to one.

    The tokens of all processes are balanced together where ``torch.distributed`` is up. Leopart, ``src/leopart.py``
    (``sinkhorn``, ``distributed_sinkhorn``), without the constant factors that its last step takes away again.

    Args:
        scores: (N, K), cosines of N tokens with K prototypes.
        epsilon: smoothness; the smaller, the harder the assignments.
        iterations: rounds of scaling, prototypes before tokens.

    Returns:
        (N, K) float32 or float64; every row sums to one exactly, every column to N / K nearly.

    Raises:
        ValueError: where ``iterations`` is below 1 or ``epsilon`` is not positive.
    """
    if iterations < 1 or epsilon <= 0:
        raise ValueError(f"Sinkhorn takes iterations from 1 on and a positive epsilon, not {iterations} and {epsilon}")
    shares = torch.exp(at_least_single(scores) / epsilon)
    for _ in range(iterations):
        shares = shares / sum_over_processes(shares.sum(0))
        shares = shares / shares.sum(1, keepdim=True)
    return shares
