"""DeepLabv1 as SEAM's authors train it on their pseudo labels: one dilated convolution on Wide ResNet-38."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.aspp import conv_norm_relu
from mars_pl.networks.freezing import freeze_batch_norms
from mars_pl.networks.intermediate_features import IntermediateFeatureBackbone
from mars_pl.networks.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise
from mars_pl.training.optimisation import groups_by_role


class DeepLabV1(nn.Module):
    """A 3×3 convolution of dilation 12, a 1×1 convolution and a classifier on a backbone's last map.

    The head is that of YudeWang/semantic-segmentation-codebase, lib/net/deeplabv1.py. Its optimiser is given the
    convolutions only, so scales and shifts of all batch norms stay as loaded while their statistics move.

    Args:
        num_classes: including background.
        backbone: published with Wide ResNet-38, nothing of it frozen.
        channels: between the convolutions of the head.
        batch_norm_momentum: of the head's statistics.
        mean: of RGB in [0, 1], as the backbone was trained.
        std: likewise.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: IntermediateFeatureBackbone,
        channels: int = 512,
        batch_norm_momentum: float = 3e-4,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.normalise = Normalise(mean, std)
        self.backbone = backbone
        self.head = nn.Sequential(
            conv_norm_relu(backbone.channels[2], channels, 3, dilation=12),
            conv_norm_relu(channels, channels),
            nn.Dropout(0.5),
            nn.Conv2d(channels, num_classes, 1),
        )
        for part in self.head.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(part, nn.BatchNorm2d):
                part.momentum = batch_norm_momentum
        freeze_batch_norms(self)
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> Tensor:
        """Map uint8 images (B, 3, H, W) to logits (B, num_classes, H, W), enlarged with aligned corners, float32."""
        logits = self.head(self.backbone(self.normalise(image))[2])
        return F.interpolate(logits.float(), image.shape[-2:], mode="bilinear", align_corners=True)

    def parameter_groups(self, lr: float, head_factor: float = 10.0) -> list[dict[str, Any]]:
        """Return the optimiser's groups: backbone and head, biases twice as fast and without decay."""
        return groups_by_role([self.backbone], [self.head], lr, head_factor)
