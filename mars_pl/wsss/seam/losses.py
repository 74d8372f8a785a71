"""SEAM's losses: classification, equivariance (ER) and equivariant cross regularisation (ECR) (train_SEAM.py)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.wsss.seam.maps import min_max_normalise, strongest_class, with_background
from mars_pl.wsss.seam.network import Maps


class Losses(NamedTuple):
    """The three terms, of equal weight, each a scalar."""

    classification: Tensor
    equivariance: Tensor
    cross: Tensor

    def total(self) -> Tensor:
        """Return their sum."""
        return self.classification + self.equivariance + self.cross


def minimum_pooling(maps: Tensor) -> Tensor:
    """Push down the weakest quarter of each image, so that something stays background.

    Args:
        maps: (B, C, H, W) of the image's classes, those of other classes 0.

    Returns:
        The mean of the ReLU of the lowest ⌊H·W/4⌋ pixels of the maximum over classes.
    """
    strongest = maps.amax(1).flatten(1)
    return F.relu(strongest.topk(strongest.shape[1] // 4, dim=1, largest=False).values).mean()


def largest_differences(target: Tensor, maps: Tensor, share: float = 0.2) -> Tensor:
    """Mean of the largest ``share`` of |target − maps| in each image, over channels and pixels of (B, K, H, W)."""
    differences = (target - maps).abs().flatten(1)
    return differences.topk(int(differences.shape[1] * share), dim=1).values.mean()


def seam_losses(first: Maps, second: Maps, classes: Tensor) -> Losses:
    """Compare the maps of an image with those of its smaller view.

    Args:
        first: maps (B, 1 + C, H, W) of the image.
        second: maps (B, 1 + C, h, w) of the same image resized.
        classes: (B, C), 1 where a class is in the image.
    """
    present = torch.cat([torch.ones_like(classes[:, :1]), classes], dim=1)[:, :, None, None]

    def classification(maps: Maps) -> Tensor:
        logits = maps.activation.mean((-2, -1))[:, 1:]
        pooled = minimum_pooling((maps.corrected * present)[:, 1:])
        return F.multilabel_soft_margin_loss(logits, classes) + pooled

    def comparable(maps: Tensor) -> Tensor:
        normalised = min_max_normalise(maps)
        size = second.activation.shape[-2:]
        if maps.shape[-2:] != size:
            normalised = F.interpolate(normalised, size, mode="bilinear", align_corners=True)
        return normalised * present

    views = (first, second)
    activation = [comparable(maps.activation) for maps in views]
    corrected = [comparable(maps.corrected) for maps in views]
    targets = [strongest_class(with_background(maps.detach())) for maps in activation]
    return Losses(
        classification=(classification(first) + classification(second)) / 2,
        equivariance=(activation[0][:, 1:] - activation[1][:, 1:]).abs().mean(),
        cross=largest_differences(targets[1], corrected[0]) + largest_differences(targets[0], corrected[1]),
    )
