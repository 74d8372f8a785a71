"""Scores of one whole image by the decoder, as the authors' infer_rsepm.py draws them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.wsss.cam.activation import normalise_activation
from mars_pl.wsss.rsepm.network import SingleStageNetwork


def multi_scale_scores(
    network: SingleStageNetwork, image: Tensor, present: Tensor, scales: Sequence[float], flip: bool = True
) -> Tensor:
    """Mean of the softmax over scales and mirror images, each class divided by its maximum.

    Each view's map is enlarged to the view by nearest neighbours and then to the size of the first, as published.

    Args:
        network: whose decoder is asked.
        image: uint8 (1, 3, H, W).
        present: int64 (K,), foreground classes of the image counted from 0.
        scales: of the image's sides.
        flip: add the mirror image of each view.

    Returns:
        float32 (K, H, W) in [0, 1).

    Raises:
        ValueError: where no scale is given.
    """
    if not scales:
        raise ValueError("scales: at least one scale is needed")
    height, width = image.shape[-2:]
    if not len(present):
        return torch.zeros(0, height, width, device=image.device)
    sizes = [(max(1, int(height * scale)), max(1, int(width * scale))) for scale in scales]
    total = torch.zeros(len(present), *sizes[0], device=image.device)
    for size in sizes:
        view = image.float()
        if size != (height, width):
            view = F.interpolate(view, size, mode="bilinear", align_corners=False)
        views = torch.cat([view, view.flip(-1)]) if flip else view
        # Softmax and nearest neighbours commute, and only the image's classes need enlarging.
        maps = network(views).segmentation_logits.float().softmax(dim=1)[:, present + 1]
        maps = F.interpolate(F.interpolate(maps, size, mode="nearest"), sizes[0], mode="nearest")
        total += (maps[0] + maps[1].flip(-1)) / 2 if flip else maps[0]
    mean = F.interpolate(total[None] / len(sizes), (height, width), mode="bilinear", align_corners=False)[0]
    return normalise_activation(mean)
