"""From a label at the image's size to the cells of the dense features (paper §3.2).

The paper clusters pixel-wise vectors; a patch with the majority class of its pixels gives almost the same centroids at
a fraction of the cost, and is how DHR, by the same authors, reads labels on a ViT's grid.
"""

from __future__ import annotations

import torch
from torch import Tensor


def _overlap(cells: int, pixels: int) -> Tensor:
    """Return (cells, pixels) float64: the length each cell and pixel share, in whole units of 1/cells of a pixel."""
    cell, pixel = torch.arange(cells).unsqueeze(1), torch.arange(pixels).unsqueeze(0)
    end = torch.minimum((cell + 1) * pixels, (pixel + 1) * cells)
    start = torch.maximum(cell * pixels, pixel * cells)
    return (end - start).clamp(min=0).double()


def majority_label(label: Tensor, grid: tuple[int, int], *, ignore_index: int, biased_index: int) -> Tensor:
    """Give each cell of a grid over the image the class that covers most of its area, parts of pixels counted exactly.

    Args:
        label: (H, W) integer class indices.
        grid: (h, w) cells that cover the whole image.
        ignore_index: wins like a class; its cells take part in nothing.
        biased_index: counted as ``ignore_index``.

    Returns:
        (h, w) int64; of classes with equal area the lowest index.
    """
    label = label.detach().cpu().long()
    label = torch.where(label == biased_index, ignore_index, label)
    rows, columns = _overlap(grid[0], label.shape[0]), _overlap(grid[1], label.shape[1])
    present = label.unique()
    area = torch.stack([rows @ (label == index).double() @ columns.T for index in present])
    return present[area.argmax(dim=0)]
