"""How labels are resized: every new pixel takes the old one under its centre, as PIL's nearest does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def resize_nearest(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Resize maps of any type to the pixel under each new centre; on a border, to the one right of it or below.

    In whole numbers, so that no centre falls to another pixel by float error. deeplab-pytorch's labels are reduced to
    its logits by the same rule (main.py); DHR's take the first pixel of each cell instead of the middle one.

    Args:
        maps: (…, H, W).
        size: height and width of the result.
    """
    rows, columns = (
        (2 * torch.arange(new, device=maps.device) + 1) * old // (2 * new)
        for old, new in zip(maps.shape[-2:], size, strict=True)
    )
    return maps[..., rows[:, None], columns]
