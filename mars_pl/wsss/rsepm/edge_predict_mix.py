"""EdgePredictMix (our reconstruction): objects are cut out along confident edges and laid over another image.

The paper says that the differences of the probabilities of adjacent pixels draw an object's edge and that they guide
how segmentation results are combined; how, was not published. Ours: as in ClassMix whole predicted regions move to the
next image, but only classes whose outline the network draws sharply.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Mixture(NamedTuple):
    """A batch of mixed images and what is known of them.

    Attributes:
        image: uint8 (B, 3, H, W).
        label: int64 (B, H, W).
        classes: float32 (B, C).
    """

    image: Tensor
    label: Tensor
    classes: Tensor


def edge_strength(probabilities: Tensor) -> Tensor:
    """Largest difference over classes to the pixel on the right and to the pixel below.

    Args:
        probabilities: (B, K, h, w).

    Returns:
        (B, h, w) in [0, 1]; pixels of the last column and row have one neighbour, the last of all none.
    """
    right = F.pad((probabilities[..., :, 1:] - probabilities[..., :, :-1]).abs().amax(dim=1), (0, 1))
    below = F.pad((probabilities[..., 1:, :] - probabilities[..., :-1, :]).abs().amax(dim=1), (0, 0, 0, 1))
    return torch.maximum(right, below)


def outline_sharpness(probabilities: Tensor) -> Tensor:
    """Mean edge strength along the outline of each class's region (the argmax).

    A pixel belongs to an outline where its right or lower neighbour is on the other side, so that every step across the
    border is measured once, by the pixel that ``edge_strength`` measures it at.

    Args:
        probabilities: (B, K, h, w), background first.

    Returns:
        (B, K) in [0, 1]; 0 for a class that is nowhere, or everywhere.
    """
    # (B, K, h, w): one mask a class; ^ is True where two neighbours lie on different sides of it.
    region = F.one_hot(probabilities.argmax(dim=1), probabilities.shape[1]).movedim(-1, 1).bool()
    right = F.pad(region[..., :, 1:] ^ region[..., :, :-1], (0, 1))
    below = F.pad(region[..., 1:, :] ^ region[..., :-1, :], (0, 0, 0, 1))
    outline = (right | below).float()
    strength = edge_strength(probabilities)[:, None]
    return (outline * strength).sum((-2, -1)) / outline.sum((-2, -1)).clamp(min=1)


class EdgePredictMix:
    """Lay the sharply outlined objects of each image over the next image of the batch.

    A moved object brings its pixels, its seeds and its class; the image below keeps the classes that are not wholly
    covered. Padding does not move.

    Args:
        sharpness: least mean edge strength of an outline, in [0, 1], at the resolution of the probabilities.
    """

    def __init__(self, sharpness: float = 0.3) -> None:
        if not 0 <= sharpness <= 1:
            raise ValueError(f"sharpness: a difference of probabilities in [0, 1], not {sharpness}")
        self.sharpness = sharpness

    def __call__(self, image: Tensor, label: Tensor, classes: Tensor, probabilities: Tensor, valid: Tensor) -> Mixture:
        """Mix image i over image i + 1, the last over the first.

        Args:
            image: uint8 (B, 3, H, W).
            label: int64 (B, H, W), seeds.
            classes: float32 (B, C).
            probabilities: (B, C + 1, h, w), background first, 0 for classes that are not in the image.
            valid: bool (B, H, W), False where an image is padded.
        """
        moves = outline_sharpness(probabilities) >= self.sharpness
        moves[:, 0] = False
        region = F.interpolate(probabilities, label.shape[-2:], mode="bilinear", align_corners=False).argmax(dim=1)
        # Whether each pixel's class moves: moves (B, K) read at the class of each pixel.
        mask = moves.gather(1, region.flatten(1)).view_as(region) & valid
        mixed_image = torch.where(mask[:, None], image, image.roll(-1, 0))
        mixed_label = torch.where(mask, label, label.roll(-1, 0))
        moved = _classes_in(region, mask, classes)
        below, below_valid = region.roll(-1, 0), valid.roll(-1, 0)
        seen = _classes_in(below, below_valid, classes)
        covered = seen * (1 - _classes_in(below, below_valid & ~mask, classes))
        return Mixture(mixed_image, mixed_label, torch.maximum(moved, classes.roll(-1, 0) * (1 - covered)))


def _classes_in(region: Tensor, mask: Tensor, like: Tensor) -> Tensor:
    """Say by 1 or 0 which foreground classes (B, C), typed as ``like``, have a pixel of ``region`` under ``mask``."""
    # What is not under the mask writes to the background, which is cut off.
    codes = torch.where(mask, region, 0).flatten(1)
    found = torch.zeros(len(like), like.shape[1] + 1, dtype=like.dtype, device=like.device)
    return found.scatter_(1, codes, 1.0)[:, 1:]
