"""What IRNet learns from sure labels: boundaries between unlike pairs, none between like ones, and displacements."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mars_pl.wsss.irn.path_affinity import shifted, sources
from mars_pl.wsss.random_walk import half_disc

EPSILON = 1e-5
"""Keeps logarithms and means over no pair finite (IRNet's value)."""


class Pairs(NamedTuple):
    """Which pairs of cells are alike, bool (B, O, h − r + 1, w − 2(r − 1)); pairs with an unsure cell are in none.

    Attributes:
        background: both are background.
        foreground: both are of the same class.
        negative: their labels differ.
    """

    background: Tensor
    foreground: Tensor
    negative: Tensor


def label_pairs(label: Tensor, radius: int, num_classes: int) -> Pairs:
    """Compare each source cell of a label (B, h, w) with its half disc; codes from ``num_classes`` on are unsure."""
    here = sources(label, radius)[:, None]
    there = torch.stack([shifted(label, radius, down, right) for down, right in half_disc(radius).tolist()], dim=1)
    sure = (here < num_classes) & (there < num_classes)
    alike = here == there
    return Pairs(sure & alike & (here == 0), sure & alike & (here > 0), sure & ~alike)


def mean_over(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the values in the mask, 0 over an empty one."""
    return (values * mask).sum() / (mask.sum(dtype=values.dtype) + EPSILON)


def affinity_loss(affinity: Tensor, pairs: Pairs) -> Tensor:
    """Half of what like pairs lose by low affinity, half of what unlike ones lose by a high one.

    Like pairs of background and of foreground count equally, however many there are (step/train_irn.py).

    Args:
        affinity: float32 (B, O, …) in [0, 1].
        pairs: of the same shape.
    """
    together, apart = -torch.log(affinity + EPSILON), -torch.log(1 + EPSILON - affinity)
    positive = (mean_over(together, pairs.background) + mean_over(together, pairs.foreground)) / 2
    return (positive + mean_over(apart, pairs.negative)) / 2


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
    foreground = foreground / (2 * pairs.foreground.sum(dtype=here.dtype) + EPSILON)
    background = background / (2 * pairs.background.sum(dtype=here.dtype) + EPSILON)
    return (foreground + background) / 2
