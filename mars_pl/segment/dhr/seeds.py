"""Seeds: where the network's activation maps, balanced by transport, insist on a class (DHR, train.py, step 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.segment.dhr.transport import LEAST

Where = Literal["everywhere", "vanished", "nowhere"]
"""Which seeds change a label; see ``sow``."""


def activations(scores: Tensor) -> Tensor:
    """Return the class activation maps of (K, h, w) class scores: their positive part, the highest of each class 1."""
    positive = F.relu(scores)
    return positive / positive.amax(dim=(1, 2), keepdim=True).clamp(min=LEAST)


def seed_maps(maps: Tensor, shares: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the activation maps of an image's classes; of several, each times its share of the transport plan.

    Args:
        maps: (K, h, w) in [0, 1], of ``activations``, K from 1 on.
        shares: from maps to the shares of their classes, ``class_shares``.
    """
    return maps * shares(maps) if len(maps) > 1 else maps


def rest(maps: Tensor) -> Tensor:
    """Return 1 − the highest of (K, h, w) maps, (h, w): what speaks for none of the classes."""
    return 1 - maps.amax(dim=0)


def sow(label: Tensor, refined: Tensor, classes: Tensor, where: Where = "everywhere") -> Tensor:
    """Overwrite a label by the class that has at least a half of a pixel.

    Args:
        label: int64 (B, H, W).
        refined: (B, K, H, W) in [0, 1], background or nothing first.
        classes: the image labels, (B, K − 1).
        where: ``everywhere`` as published; ``vanished``, only classes of the image that its label has nowhere;
            ``nowhere`` leaves the label as it is.
    """
    if where == "nowhere":
        return label
    most, seed = refined[:, 1:].max(dim=1)
    wanted = classes > 0
    if where == "vanished":
        there = torch.stack([(label == index + 1).flatten(1).any(dim=1) for index in range(classes.shape[1])], dim=1)
        wanted = wanted & ~there
    # a pixel's class is looked up in its image's row: (B, K − 1) gathered at (B, H·W)
    chosen = wanted.gather(1, seed.flatten(1)).view_as(seed) & (most >= 0.5)
    return torch.where(chosen, seed + 1, label)
