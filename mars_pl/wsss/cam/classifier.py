"""The multi-label classifier whose class activation maps become pseudo labels (IRNet's, on any timm backbone)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.dilation import undilate
from mars_pl.networks.freezing import freeze, hold_batch_norms
from mars_pl.networks.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise
from mars_pl.training.weights import load_weights


class CAMClassifier(nn.Module):
    """A timm backbone, global average pooling and a 1×1 convolution without bias.

    Because pooling and the 1×1 convolution commute, the same weights that classify also draw the class activation maps.

    Args:
        num_classes: including the background, which the classifier does not predict.
        backbone: timm name, e.g. ``resnet50``.
        pretrained: take timm's ImageNet weights from its hub.
        weights: or a safetensors file of the timm model, its ImageNet classifier included.
        output_stride: of the last feature map; IRNet has 16.
        dilated: dilate what follows a stride that was taken out, as timm does; IRNet does not.
        frozen: prefixes of backbone parameters that receive no gradient (IRNet: stem and the first two stages).
        frozen_batch_norm: keep the backbone's running statistics, as IRNet does; off where it starts from random ones.
        backbone_options: further arguments of ``timm.create_model``.
        mean: of RGB in [0, 1], as the backbone was trained.
        std: likewise.

    Raises:
        ValueError: where a prefix in ``frozen`` fits no parameter.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str,
        pretrained: bool = False,
        weights: str | None = None,
        output_stride: int = 16,
        dilated: bool = True,
        frozen: Sequence[str] = (),
        frozen_batch_norm: bool = True,
        backbone_options: Mapping[str, Any] | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.normalise = Normalise(mean, std)
        self.backbone = timm.create_model(
            backbone, pretrained=pretrained, output_stride=output_stride, **(backbone_options or {})
        )
        if weights is not None:
            load_weights(self.backbone, weights)
        if not dilated:
            undilate(self.backbone)
        self.backbone.reset_classifier(0, "")
        self.classifier = nn.Conv2d(_map_channels(self.backbone), num_classes - 1, kernel_size=1, bias=False)
        self.frozen_batch_norm = frozen_batch_norm
        freeze(self.backbone, frozen)
        self.train()  # Lightning keeps the modes it finds, so the frozen batch norms must stand still from here on

    def forward(self, image: Tensor) -> Tensor:
        """Return class logits (B, C) of uint8 images (B, 3, H, W); class index 0 is class 1."""
        return self.classifier(F.adaptive_avg_pool2d(self._map(image), 1)).flatten(1)

    def activation(self, image: Tensor, present: Tensor) -> Tensor:
        """Draw the class activation maps ReLU(w · features) of the image's classes.

        Args:
            image: uint8 (B, 3, H, W).
            present: int64 (K,), foreground classes counted from 0.

        Returns:
            (B, K, h, w).
        """
        return F.relu(self.classifier(self._map(image))[:, present])

    def features(self, normalised: Tensor) -> Tensor:
        """Return the map (B, D, h, w) that is classified, of images (B, 3, H, W) that ``normalise`` has seen."""
        return self.backbone.forward_features(normalised)

    def train(self, mode: bool = True) -> CAMClassifier:
        """Switch to training; frozen batch norms stay in evaluation."""
        super().train(mode)
        if self.frozen_batch_norm:
            hold_batch_norms(self.backbone)
        return self

    def _map(self, image: Tensor) -> Tensor:
        return self.features(self.normalise(image))


def _map_channels(backbone: nn.Module) -> int:
    """Channels of the map that ``forward_features`` returns; ``num_features`` may count before a head."""
    training = backbone.training
    with torch.no_grad():
        features: Tensor = backbone.eval().forward_features(torch.zeros(1, 3, 64, 64))  # type: ignore[operator]
    backbone.train(training)
    return features.shape[1]
