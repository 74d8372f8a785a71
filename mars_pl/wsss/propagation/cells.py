"""The grid of cells that affinities are learnt on."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def pad_to_cells(maps: Tensor, stride: int, value: float = 0.0) -> Tensor:
    """Pad (…, H, W) to the right and below to whole cells of ``stride`` pixels."""
    height, width = maps.shape[-2:]
    return F.pad(maps, (0, -width % stride, 0, -height % stride), value=value)
