"""The grid of cells that affinities are learnt on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def pad_to_cells(maps: Tensor, stride: int, value: float = 0.0) -> Tensor:
    """Pad (…, H, W) to the right and below to whole cells of ``stride`` pixels."""
    height, width = maps.shape[-2:]
    return F.pad(maps, (0, -width % stride, 0, -height % stride), value=value)


def inner_starts(size: Sequence[int], reach: int) -> Tensor:
    """Say from which cells every pair of a half disc stays on the grid: bool (h, w) of a grid of ``size``.

    They lie ``reach`` from the left, the right and the lower side (PSA's get_indices_of_pairs, tool/pyutils.py). On a
    grid too small for any all cells count; there SEAM takes a smaller disc.
    """
    height, width = size
    if height <= reach or width <= 2 * reach:
        return torch.ones(height, width, dtype=torch.bool)
    inner = torch.zeros(height, width, dtype=torch.bool)
    inner[: height - reach, reach : width - reach] = True
    return inner
