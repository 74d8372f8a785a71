"""A batch that processes share, taken as the one batch it is: its rows, and what is drawn for them.

The data deal rows out in turn: of W processes, process r has rows r, r + W, … of the batch that one process would have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, distributed
from torch.autograd import Function

from mars_pl.training.over_processes import place


def whole_size(own: int) -> int:
    """Return the rows of the whole batch, of which this process has ``own``, as many as every other."""
    return own * place()[1]


def draw_for_all(draw: Callable[[], Tensor]) -> Tensor:
    """Return the first process's draw in every process.

    What is drawn for the rows of the whole batch is then the same whatever the number of processes, and one process
    draws as it would alone.

    Args:
        draw: makes a contiguous tensor of the same shape and type in every process, from the global generator.
    """
    drawn = draw()
    if place()[1] > 1:
        distributed.broadcast(drawn, 0)
    return drawn


def own_rows(whole: Tensor) -> Tensor:
    """Take this process's rows of (B, …)."""
    rank, world = place()
    return whole[rank::world]


def draw_kept(rows: Tensor, share: float, *sides: int) -> Tensor:
    """Draw what dropout multiplies this process's rows with: 0 for a share of the whole batch, the others scaled up.

    Args:
        rows: (B/W, …), whose number, type and device count.
        share: that is dropped, in [0, 1).
        sides: of the result behind its rows, which broadcast to those of ``rows``.
    """
    keep, whole = 1 - share, (whole_size(len(rows)), *sides)
    return own_rows(draw_for_all(lambda: rows.new_empty(whole).bernoulli_(keep).div_(keep)))


def all_rows(own: Tensor) -> Tensor:
    """Bring the rows of all processes together, in the order of the whole batch; ``own`` itself where there is one.

    A gradient flows back to the process whose row it is, summed over the processes that used the row: under DDP, which
    averages gradients over processes, the gradient of a mean of all processes' losses is that of the whole batch.

    Args:
        own: (B/W, …), equally many in each of the W processes.

    Returns:
        (B, …).
    """
    if place()[1] == 1:
        return own
    gathered: Tensor = _AllRows.apply(own)
    return gathered


class _AllRows(Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        parts = [torch.empty_like(own, memory_format=torch.contiguous_format) for _ in range(place()[1])]
        distributed.all_gather(parts, own.contiguous())
        return torch.stack(parts, dim=1).flatten(0, 1)  # (B/W, W, …) → (B, …): row k of process r is row k·W + r

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return own_rows(total)
