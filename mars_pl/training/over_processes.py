"""Sums over all processes, so that a loss over several GPUs is that of the whole batch and not a mean of means."""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def sum_over_processes(values: Tensor) -> Tensor:
    """Sum ``values``, of which no gradient is taken, over all processes; ``values`` itself where there is one."""
    if not _several():
        return values
    total = values.detach().clone()
    distributed.all_reduce(total)
    return total


@torch.no_grad()
def mean_count(count: Tensor, least: float = 0.0) -> Tensor:
    """Return what a process divides its sum by, so that DDP's mean over processes is the mean over the whole batch.

    Where processes hold unlike many valid pixels, pairs or tokens, the mean of their means is not the mean over all of
    them, and the loss would depend on the number of GPUs.

    Args:
        count: of what this process's sum runs over, a scalar.
        least: the count over all processes is taken as at least this, against a division by nothing.

    Returns:
        The count over all processes divided by their number, in the type of ``count``, or float32 where that counts
        in whole numbers.
    """
    floats = count if count.is_floating_point() else count.float()
    total = sum_over_processes(floats).clamp(min=least)
    return total / distributed.get_world_size() if _several() else total


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
