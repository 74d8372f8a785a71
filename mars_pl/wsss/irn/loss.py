"""What IRNet learns from confident labels beside PSA's affinities: displacements, and its own choice of pairs."""

from __future__ import annotations

import torch
from torch import Tensor

from mars_pl.training.over_processes import mean_count
from mars_pl.wsss.irn.path_affinity import shifted, sources
from mars_pl.wsss.propagation.affinity_loss import EPSILON, Pairs
from mars_pl.wsss.propagation.cells import pad_to_cells
from mars_pl.wsss.propagation.random_walk import half_disc


def cell_labels(label: Tensor, stride: int, num_classes: int) -> Tensor:
    """Give each cell the label of the pixel below and right of its middle, which PIL's nearest takes (IRNet).

    Args:
        label: int64 (B, H, W); a last cell that ends before that pixel is unsure, by the code ``num_classes``.
        stride: of the grid, in pixels.
        num_classes: including background.

    Returns:
        int64 (B, h, w).
    """
    return pad_to_cells(label, stride, num_classes)[:, stride // 2 :: stride, stride // 2 :: stride]


def label_pairs(label: Tensor, radius: int, num_classes: int) -> Pairs:
    """Compare each source cell of a label (B, h, w) with its half disc; codes from ``num_classes`` on are unsure.

    Returns:
        `Pairs` of (B, O, h − r + 1, w − 2(r − 1)): IRNet leaves out the pairs that start within the radius of a side.
    """
    here = sources(label, radius)[:, None]
    there = torch.stack([shifted(label, radius, down, right) for down, right in half_disc(radius).tolist()], dim=1)
    confident = (here < num_classes) & (there < num_classes)
    alike = here == there
    return Pairs(confident & alike & (here == 0), confident & alike & (here > 0), confident & ~alike)


def displacement_loss(displacement: Tensor, radius: int, pairs: Pairs) -> Tensor:
    """L1 loss of a field that points from every cell of an object to one place, and is even on the background.

    So over a pair of the same class it differs by the pair's offset, over one of background by nothing. Both
    components are averaged (step/train_irn.py).

    Args:
        displacement: float32 (B, 2, h, w), down and right, in cells.
        radius: of the pairs.
        pairs: which are alike.
    """
    here = sources(displacement, radius)
    foreground, background = displacement.new_zeros(()), displacement.new_zeros(())
    for index, (down, right) in enumerate(half_disc(radius).tolist()):
        difference = here - shifted(displacement, radius, down, right)
        offset = difference.new_tensor([down, right])[:, None, None]
        foreground = foreground + ((difference - offset).abs().sum(1) * pairs.foreground[:, index]).sum()
        background = background + (difference.abs().sum(1) * pairs.background[:, index]).sum()
    foreground = foreground / (2 * mean_count(pairs.foreground.sum(dtype=here.dtype)) + EPSILON)
    background = background / (2 * mean_count(pairs.background.sum(dtype=here.dtype)) + EPSILON)
    return (foreground + background) / 2
