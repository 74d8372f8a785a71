"""SEAM's network: class activation maps of a backbone, and the same corrected by pixel correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.intermediate_features import IntermediateFeatureBackbone
from mars_pl.networks.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise
from mars_pl.networks.own_precision import in_own_precision
from mars_pl.wsss.seam.maps import seeds
from mars_pl.wsss.seam.pixel_correlation import PixelCorrelation


class Maps(NamedTuple):
    """Class maps at the size of the image, background first, in the weights' precision.

    Attributes:
        activation: (B, 1 + C, H, W), raw; the spatial mean is a class's logit, and channel 0 means nothing.
        corrected: (B, 1 + C, H, W) in [0, 1].
    """

    activation: Tensor
    corrected: Tensor


class SEAM(nn.Module):
    """A backbone with three intermediate feature maps, a 1×1 classifier without bias, and pixel correlation.

    What follows the backbone keeps out of autocast: the seeds ask which class is the largest of a cell, and of classes
    that half precision rounds to one value all would be.

    Args:
        num_classes: including the background.
        backbone: published with Wide ResNet-38.
        mean: of RGB in [0, 1], as the backbone was trained.
        std: likewise.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: IntermediateFeatureBackbone,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.normalise = Normalise(mean, std)
        self.backbone = backbone
        self.pixel_correlation = PixelCorrelation(backbone.channels[:2])
        self.dropout = nn.Dropout2d(0.5)
        self.classifier = nn.Conv2d(backbone.channels[2], num_classes, 1, bias=False)
        nn.init.xavier_uniform_(self.classifier.weight)

    def forward(self, image: Tensor) -> Maps:
        """Draw both kinds of maps of images (B, 3, H, W) in 0…255, uint8 or float."""
        activation, corrected = self._draw(image)
        return Maps(_enlarge(activation, image), _enlarge(corrected, image))

    def activation(self, image: Tensor, present: Tensor) -> Tensor:
        """Return the corrected maps of the image's classes, which are what SEAM infers with.

        Args:
            image: (B, 3, H, W) in 0…255, uint8 or float.
            present: int64 (K,), foreground classes counted from 0; all classes compete before theirs are taken.

        Returns:
            (B, K, H, W).
        """
        return _enlarge(self._draw(image)[1][:, present + 1], image)

    def _draw(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Raw and corrected maps at the size of the backbone's."""
        normalised = self.normalise(image)
        intermediate = self.backbone(normalised)
        activation = in_own_precision(self.classifier, self.dropout(intermediate[2]))
        return activation, self.pixel_correlation(seeds(activation), normalised, intermediate)


def _enlarge(maps: Tensor, image: Tensor) -> Tensor:
    return F.interpolate(maps, image.shape[-2:], mode="bilinear", align_corners=True)
