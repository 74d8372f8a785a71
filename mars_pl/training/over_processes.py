"""Sums over all processes, so that a loss over several GPUs is that of the whole batch and not a mean of means."""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def place() -> tuple[int, int]:
    """Return (rank, number of processes); (0, 1) where nothing is distributed."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def own_share(items: int) -> range:
    """Return which of so many items this process looks at: its rank, and from there on one of each round."""
    rank, world = place()
    return range(rank, items, world)


def sum_over_processes(values: Tensor) -> Tensor:
    """Sum ``values``, of which no gradient is taken, over all processes; ``values`` itself where there is one."""
    if place()[1] == 1:
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
    return total / place()[1]


@torch.no_grad()
def mean_over_processes(mean: Tensor) -> Tensor:
    """Average a mean, taken in each process over equally many values; ``mean`` itself where there is one process."""
    return sum_over_processes(mean) / world if (world := place()[1]) > 1 else mean
