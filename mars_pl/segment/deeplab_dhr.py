"""DeepLabv1 and v2 as RS+EPM's and DHR's authors, the first author of MARS among them, build them (core/networks.py).

Both differ from the networks that SEAM's and AdvCAM's rows are trained with elsewhere: everything learns, batch norms
too; biases as fast as weights, and decayed; logits stay at the stride, looked at in one size while training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mars_pl.networks.encoder import Encoder, encoder_normalise
from mars_pl.networks.intermediate_features import IntermediateFeatureBackbone
from mars_pl.networks.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise
from mars_pl.segment.dilated_classifiers import DilatedClassifiers


def groups_by_rate(backbone: nn.Module, head: nn.Module, lr: float, head_factor: float) -> list[dict[str, Any]]:
    """Parameter groups of DHR: the backbone at ``lr``, the head ``head_factor`` times faster (tools/optimizers.py)."""
    learning = [[parameter for parameter in part.parameters() if parameter.requires_grad] for part in (backbone, head)]
    groups = [{"params": learning[0], "lr": lr}, {"params": learning[1], "lr": lr * head_factor}]
    return [group for group in groups if group["params"]]


class DHRDeepLabV1(nn.Module):
    """A 3×3 convolution of dilation 12, a 1×1 convolution and a classifier, with batch norms and no ReLU between them.

    DHR's Wide ResNet-38 means to freeze its batch norms and first convolution, in a ``train`` that its fit never calls:
    as published nothing is frozen (core/backbones/wide_resnet/model.py, tools/trainers.py).

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
            nn.Conv2d(backbone.channels[2], channels, 3, padding=12, dilation=12, bias=False),
            nn.BatchNorm2d(channels, momentum=batch_norm_momentum),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels, momentum=batch_norm_momentum),
            nn.Dropout(0.5),
            nn.Conv2d(channels, num_classes, 1),
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> Tensor:
        """Map uint8 images (B, 3, H, W) of any size to logits (B, num_classes, h, w) at the backbone's stride."""
        return self.head(self.backbone(self.normalise(image))[2])

    def parameter_groups(self, lr: float, head_factor: float = 10.0) -> list[dict[str, Any]]:
        """Return the optimiser's groups: backbone and head."""
        return groups_by_rate(self.backbone, self.head, lr, head_factor)


class DHRDeepLabV2(nn.Module):
    """Four parallel dilated classifiers, summed, on a ResNet of torchvision's layout; the image in one size.

    Args:
        num_classes: including background.
        encoder: timm name, e.g. ``resnet101.tv_in1k``.
        output_stride: of the encoder.
        pretrained: take timm's ImageNet weights from its hub.
        weights: or a safetensors file of the timm model, with or without its classifier.
        first_dilations: of the ResNet's late stages, see ``dilate_first_blocks``; ``None`` for another encoder.
        encoder_options: further arguments of ``timm.create_model``.
        rates: dilations of the 3×3 classifiers.
        mean: of RGB in [0, 1]; by default that of timm's weights.
        std: likewise.

    Raises:
        ValueError: where the encoder does not fit (see ``Encoder``).
    """

    def __init__(
        self,
        num_classes: int,
        encoder: str,
        output_stride: int = 8,
        pretrained: bool = False,
        weights: str | None = None,
        first_dilations: tuple[int, int] | None = (1, 1),
        encoder_options: Mapping[str, Any] | None = None,
        rates: Sequence[int] = (6, 12, 18, 24),
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.normalise = encoder_normalise(encoder, mean, std)
        self.encoder = Encoder(
            encoder, output_stride, pretrained, weights, options=encoder_options, first_dilations=first_dilations
        )
        self.classifiers = DilatedClassifiers(self.encoder.channels, num_classes, rates)
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> Tensor:
        """Map uint8 images (B, 3, H, W) of any size to logits (B, num_classes, h, w) at the output stride."""
        _, last = self.encoder(self.normalise(image))
        return self.classifiers(last)

    def parameter_groups(self, lr: float, head_factor: float = 10.0) -> list[dict[str, Any]]:
        """Return the optimiser's groups: the encoder and the classifiers."""
        return groups_by_rate(self.encoder, self.classifiers, lr, head_factor)
