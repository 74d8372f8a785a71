"""Where two crops of an image overlap, and what their token maps say there (Leopart section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import roi_align

from mars_pl.networks.precision import at_least_single


def overlap(first: Tensor, second: Tensor) -> Tensor:
    """Intersect boxes (B, 4), as left, top, right, bottom in pixels of the image: (B, 4)."""
    return torch.cat([torch.maximum(first[:, :2], second[:, :2]), torch.minimum(first[:, 2:], second[:, 2:])], dim=1)


def within(box: Tensor, crop: Tensor) -> Tensor:
    """Say a box (B, 4) in shares of the crop (B, 4) that it lies in: 0 the left and upper edge, 1 the others."""
    sides = crop[:, 2:] - crop[:, :2]
    # Both corners at once, (B, 2, 2) as corner and x, y: the crop's own corner becomes (0, 0), its opposite (1, 1).
    return ((box.view(-1, 2, 2) - crop[:, None, :2]) / sides[:, None]).flatten(1)


def align(maps: Tensor, boxes: Tensor, side: int = 7) -> Tensor:
    """Read each map inside its box at ``side`` × ``side`` places: the means of bilinear samples (RoIAlign, aligned).

    Args:
        maps: (B, C, h, w), any precision; read in float32, or in float64.
        boxes: (B, 4) in shares of the map, see ``within``.
        side: of the result; 7 in Leopart.

    Returns:
        (B, C, side, side). What sums to one over C at every token does so at every place.
    """
    height, width = maps.shape[-2:]
    maps = at_least_single(maps)
    tokens = boxes.to(maps) * torch.tensor([width, height, width, height], dtype=maps.dtype, device=maps.device)
    rows = torch.arange(len(maps), dtype=maps.dtype, device=maps.device)[:, None]  # RoIAlign: which map a box is of
    return roi_align(maps, torch.cat([rows, tokens], dim=1), side, aligned=True)
