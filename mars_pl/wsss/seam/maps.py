"""How SEAM normalises class maps before it compares, corrects and keeps them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-5
"""SEAM's guard against silent maps."""


def min_max_normalise(maps: Tensor) -> Tensor:
    """Stretch each map's positive part to [0, 1); any shape (…, H, W) is kept (tool/visualization.py, max_norm)."""
    positive = F.relu(maps)
    low, high = positive.amin((-2, -1), keepdim=True), positive.amax((-2, -1), keepdim=True)
    return F.relu(positive - low - EPSILON) / (high - low + EPSILON)


def with_background(maps: Tensor) -> Tensor:
    """Replace channel 0 of (B, 1 + C, h, w) by 1 minus the largest of the classes."""
    classes = maps[:, 1:]
    return torch.cat([1 - classes.amax(1, keepdim=True), classes], dim=1)


def strongest_class(maps: Tensor) -> Tensor:
    """Keep at each cell of (B, 1 + C, h, w) the background and the largest of the classes, and zero the others."""
    classes = maps[:, 1:]
    strongest = classes * (classes == classes.amax(1, keepdim=True))
    return torch.cat([maps[:, :1], strongest], dim=1)


@torch.no_grad()
def seeds(activation: Tensor) -> Tensor:
    """Make of raw activations what pixel correlation spreads (network/resnet38_SEAM.py).

    Args:
        activation: (B, 1 + C, h, w) of any range; channel 0 is not read.

    Returns:
        Detached, of the same shape in [0, 1]: each class divided by its maximum, only the largest class of a cell, and
        in channel 0 the background.
    """
    positive = F.relu(activation)
    highest = positive.amax((-2, -1), keepdim=True)
    return strongest_class(with_background(F.relu(positive - EPSILON) / (highest + EPSILON)))
