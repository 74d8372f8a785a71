"""Multi-scale, flipped inference of whole images, as the authors evaluate their networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Average = Literal["probabilities", "logits"]
"""``probabilities`` as RS+EPM and DHR; ``logits`` as SEAM's authors with DeepLabv1."""

Resampling = Literal["centres", "corners"]
"""How views are made and their maps brought to the image, always bilinearly.

``centres`` as labels are resized: sides of views rounded, smaller views antialiased, each map straight to the image.
``corners`` as DHR's apply_ms: sides of views cut to whole pixels, nothing antialiased, the first and last pixel of a
side kept in place, maps averaged on the logits' grid of the view nearest to scale 1, their mean brought to the image.
"""

SCALES = (1.0, 0.5, 1.5, 2.0)
FLIP = True
LEAST_PROBABILITY = 0.05
"""Of prediction where nothing else is said: DHR's."""


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
    resampling: Resampling = "centres",
) -> Tensor:
    """Average every view, each resized to the image (RS+EPM: softmax at scales 1, 0.5, 1.5, 2 and of their flips).

    Args:
        network: maps images (B, 3, h, w) in [0, 255] to logits (B, K, ·, ·).
        images: uint8 (B, 3, H, W).
        scales: factors on both sides.
        flip: add the mirror image of each view.
        average: take the mean of the softmax, or the softmax of the mean logits.
        resampling: of views and maps, see `Resampling`.

    Returns:
        float32 (B, K, H, W); each pixel sums to 1.
    """
    corners, size = resampling == "corners", images.shape[-2:]
    resize = partial(F.interpolate, mode="bilinear", align_corners=corners)
    grid = None if corners else size
    total = torch.zeros((), device=images.device)
    for scale in sorted(scales, key=lambda scale: abs(scale - 1)) if corners else scales:
        sides = [max(1, math.floor(side * scale + (0.0 if corners else 0.5))) for side in size]
        view = images.float()
        if list(size) != sides:
            view = resize(view, sides, antialias=scale < 1 and not corners)
        for mirrored in (False, True) if flip else (False,):
            maps = network(view.flip(-1) if mirrored else view).float()
            maps = maps.softmax(dim=1) if average == "probabilities" else maps
            grid = maps.shape[-2:] if grid is None else grid
            total = total + resize(maps.flip(-1) if mirrored else maps, grid)
    mean = resize(total / (len(scales) * (2 if flip else 1)), size)
    return mean if average == "probabilities" else mean.softmax(dim=1)


def drop_improbable(probabilities: Tensor, least: float = LEAST_PROBABILITY) -> Tensor:
    """Keep the classes of (B, K, H, W) whose highest probability in the image is above ``least``, set others to zero.

    A dense CRF costs time per class (DHR's limit; RS+EPM keeps a class at the limit too). Background stays.
    """
    probable = probabilities.amax(dim=(2, 3)) > least
    probable[:, 0] = True
    return probabilities * probable[:, :, None, None]


def competing(probabilities: Tensor, classes: Tensor | None) -> Tensor:
    """Return the codes of background and of the classes that are probable somewhere, where given the image's own."""
    probable = probabilities.flatten(1).any(dim=1)
    if classes is not None:
        probable[1:] &= classes > 0
    probable[0] = True
    return probable.nonzero().flatten()
