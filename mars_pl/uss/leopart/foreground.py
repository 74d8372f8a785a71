"""Which tokens show an object, by where the class token looks (Leopart section 3.2; its ``process_attentions``)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms

from mars_pl.networks.precision import at_least_single

KERNEL = 7
"""Side of the Gaussian's window in tokens, as in Leopart's code."""


def foreground(attention: Tensor, mass: float = 0.6, blur: float = 0.6) -> Tensor:
    """Keep the strongest tokens that hold ``mass`` of the blurred attention, and of them groups of at least three.

    Args:
        attention: (B, h, w) of the class token to each token, mean over the heads; 0 or more.
        mass: share of the attention, in (0, 1].
        blur: standard deviation of the Gaussian, in tokens.

    Returns:
        bool (B, h, w).

    Raises:
        ValueError: where a map is smaller than 4 × 4 tokens, which the blur's mirrored edges need.
    """
    height, width = attention.shape[-2:]
    if min(height, width) <= KERNEL // 2:
        least = KERNEL // 2 + 1
        raise ValueError(
            f"a global crop has {height}×{width} tokens, its foreground needs {least}×{least}; cut larger crops"
        )
    blurred = transforms.gaussian_blur(at_least_single(attention[:, None]), [KERNEL, KERNEL], [blur, blur]).flatten(1)
    # From the weakest token up, the attention so far; those beyond 1 − mass hold the mass. scatter_ undoes the order.
    ordered = blurred.sort(dim=1)
    reached = (ordered.values / ordered.values.sum(dim=1, keepdim=True)).cumsum(dim=1) > 1 - mass
    kept = torch.zeros_like(reached).scatter_(1, ordered.indices, reached)
    return without_specks(kept.view(-1, height, width))


def without_specks(mask: Tensor) -> Tensor:
    """Take groups of one or two tokens out of bool (B, h, w); corners connect.

    A token is in a larger group where it has two neighbours or more, or a neighbour that has.
    """
    many = mask & (neighbours(mask) >= 2)
    return many | (mask & (neighbours(many) >= 1))


def neighbours(mask: Tensor) -> Tensor:
    """Count, for each token of bool (B, h, w), the true ones among the eight around it."""
    window = torch.ones(1, 1, 3, 3, device=mask.device)
    window[..., 1, 1] = 0
    return F.conv2d(mask[:, None].to(window.dtype), window, padding=1)[:, 0].round().int()
