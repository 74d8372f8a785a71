"""Random walk over the cells of a grid, by which scores spread to where the image belongs together (IRNet and PSA).

Neighbours lie within a few cells, so a transition is a sparse matrix. It is applied to the maps as often as the walk
has steps; its power, a dense matrix of all cells by all cells, is never formed. A walk of 2⁸ steps over the 125×125
cells of an image of 500×500 pixels takes half a second of one core and 70 MB.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def half_disc(radius: int) -> Tensor:
    """Return the offsets (down, right) to one half of the cells nearer than ``radius``; the other half mirrors it.

    They go to the right in the same row and to both sides in the rows below (jiwoon-ahn/irn, misc/indexing.py).

    Returns:
        int64 (O, 2), in the order of rows and columns, without (0, 0).

    Raises:
        ValueError: where no neighbour is nearer than the radius.
    """
    if radius < 2:
        raise ValueError(f"a radius of {radius} reaches no neighbour; take 2 or more")
    offsets = [
        (down, right)
        for down in range(radius)
        for right in range(1 - radius, radius)
        if (down > 0 or right > 0) and down**2 + right**2 < radius**2
    ]
    return torch.tensor(offsets)


@torch.no_grad()
def random_walk(maps: Tensor, offsets: Tensor, affinity: Tensor, exponent: float, steps: int) -> Tensor:
    """Let maps walk: in each step a cell takes the mean of its neighbours and itself, weighted by affinity^exponent.

    Args:
        maps: (K, h, w).
        offsets: int64 (O, 2), down and right, one of each pair of opposite neighbours; see `half_disc`.
        affinity: (O, h, w) in [0, 1], between cell (y, x) and (y, x) + offsets[o]; that of a cell to itself is 1. Where
            the neighbour lies outside of the grid it is not read.
        exponent: of the affinity; IRN has 10.
        steps: of the walk; IRN has 2⁸.

    Returns:
        (K, h, w) in the precision of the maps, no larger than their maximum.

    Raises:
        ValueError: where maps, offsets and affinity do not fit one another.
    """
    if affinity.shape != (len(offsets), *maps.shape[-2:]):
        raise ValueError(
            f"affinity of shape {tuple(affinity.shape)} does not fit {len(offsets)} offsets "
            f"and maps of {maps.shape[-2]}×{maps.shape[-1]} cells"
        )
    transition = transition_matrix(offsets.to(maps.device), affinity.to(maps.dtype) ** exponent)
    cells = maps.flatten(1).T.contiguous()  # (h·w, K): a sparse matrix multiplies from the left
    with torch.autocast(maps.device.type, enabled=False):  # half precision would lose what hundreds of steps add up
        for _ in range(steps):
            cells = transition @ cells
    return cells.T.reshape(maps.shape)


def transition_matrix(offsets: Tensor, strength: Tensor) -> Tensor:
    """Build the matrix of one step as sparse CSR (h·w, h·w): rows are the cells that receive and sum to 1.

    It is the transpose of the published matrix, whose columns are normalised and which maps are multiplied with from
    the left.

    Args:
        offsets: int64 (O, 2), on the device of ``strength``.
        strength: (O, h, w), of the pairs as in `random_walk`.
    """
    height, width = strength.shape[-2:]
    device = strength.device
    both = torch.cat([-offsets, torch.zeros_like(offsets[:1]), offsets])
    both = both[(both[:, 0] * width + both[:, 1]).argsort()]  # CSR wants the columns of a row in order
    # Each (2·O + 1, h, w): where the neighbour lies at that offset from each cell, and whether that is in the grid.
    row = torch.arange(height, device=device)[:, None] + both[:, 0, None, None]
    column = torch.arange(width, device=device) + both[:, 1, None, None]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    neighbour = (row * width + column).clamp(0, height * width - 1)

    forward = {tuple(offset): index for index, offset in enumerate(offsets.tolist())}
    weights = torch.ones_like(inside, dtype=strength.dtype)
    for place, (down, right) in enumerate(both.tolist()):
        if (down, right) in forward:
            weights[place] = strength[forward[down, right]]
        elif (down, right) != (0, 0):  # a pair is written at the cell it starts from
            weights[place] = strength[forward[-down, -right]].take(neighbour[place])
    weights = weights.masked_fill(~inside, 0)
    weights = weights / weights.sum(0)

    # (h·w, 2·O + 1): a boolean index reads row after row, which is the order in which CSR stores its entries.
    by_cell = inside.flatten(1).T
    return torch.sparse_csr_tensor(
        F.pad(by_cell.sum(1).cumsum(0), (1, 0)),  # where each row's entries begin
        neighbour.flatten(1).T[by_cell],
        weights.flatten(1).T[by_cell],
        size=(height * width, height * width),
        check_invariants=False,
    )
