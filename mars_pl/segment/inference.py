"""Multi-scale, flipped inference of whole images, as the authors evaluate their networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.aspp import resize

Average = Literal["probabilities", "logits"]
"""``probabilities`` as RS+EPM and DHR; ``logits`` as SEAM's authors with DeepLabv1."""


@dataclass  # not frozen: Lightning moves what predict returns
class SegmentationPrediction:
    """What a segmentation network says of one whole image.

    Attributes:
        id: of the image.
        probabilities: float32 (K, H, W), background first; a class that is nowhere probable is all zeros.
    """

    id: str
    probabilities: Tensor


def multi_scale_probabilities(
    network: nn.Module,
    images: Tensor,
    scales: Sequence[float],
    flip: bool,
    average: Average = "probabilities",
) -> Tensor:
    """Average every view, each resized to the image (RS+EPM: softmax at scales 1, 0.5, 1.5, 2 and of their flips).

    Args:
        network: maps images (B, 3, h, w) in [0, 255] to logits (B, K, ·, ·).
        images: uint8 (B, 3, H, W).
        scales: factors on both sides.
        flip: add the mirror image of each view.
        average: take the mean of the softmax, or the softmax of the mean logits.

    Returns:
        float32 (B, K, H, W); each pixel sums to 1.
    """
    size = images.shape[-2:]
    total = torch.zeros((), device=images.device)
    for scale in scales:
        sides = [max(1, math.floor(side * scale + 0.5)) for side in size]
        view = images.float()
        if list(size) != sides:
            view = F.interpolate(view, size=sides, mode="bilinear", align_corners=False, antialias=scale < 1)
        for mirrored in (False, True) if flip else (False,):
            maps = network(view.flip(-1) if mirrored else view).float()
            maps = maps.softmax(dim=1) if average == "probabilities" else maps
            total = total + resize(maps.flip(-1) if mirrored else maps, size)
    mean = total / (len(scales) * (2 if flip else 1))
    return mean if average == "probabilities" else mean.softmax(dim=1)


def drop_improbable(probabilities: Tensor, least: float = 0.05) -> Tensor:
    """Keep the classes of (B, K, H, W) whose highest probability in the image is above ``least``, set others to zero.

    A dense CRF costs time per class (DHR's limit; RS+EPM keeps a class at the limit too). Background stays.
    """
    probable = probabilities.amax(dim=(2, 3)) > least
    probable[:, 0] = True
    return probabilities * probable[:, :, None, None]
