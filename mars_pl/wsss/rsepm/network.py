"""The single-stage network of RS+EPM: a classifier and a segmentation decoder on one backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mars_pl.networks.aspp import ASPP, RATES, conv_norm_relu, resize
from mars_pl.networks.dilation import undilate
from mars_pl.networks.encoder import Encoder, encoder_normalise
from mars_pl.networks.own_precision import in_own_precision
from mars_pl.wsss.rsepm.published import load_published


class SingleStageOutput(NamedTuple):
    """What the network says of a batch.

    Attributes:
        features: the encoder's last map (B, D, h, w).
        class_maps: the classifier at every cell (B, C, h, w), not rectified; channel 0 is class 1.
        class_logits: their mean over the cells (B, C).
        segmentation_logits: of the decoder (B, C + 1, ⌈H/4⌉, ⌈W/4⌉), background first.
    """

    features: Tensor
    class_maps: Tensor
    class_logits: Tensor
    segmentation_logits: Tensor


class SingleStageNetwork(nn.Module):
    """RS+EPM's network (``RSEPM`` in core/networks.py) on any timm backbone; all batch norms train.

    The defaults are the published ones: the last stage keeps stride 1 without dilation, the low-level branch is as wide
    as the decoder, and the decoder ends in a 3×3 convolution.

    Args:
        num_classes: including background, which the classifier does not predict.
        encoder: timm name, e.g. ``resnet50``.
        output_stride: of the encoder, 8 or 16.
        dilated: keep timm's dilation in the stages that lost their stride.
        pretrained: take timm's ImageNet weights from its hub.
        weights: or a safetensors file of the timm model, its ImageNet classifier included.
        published: or the authors' single-stage checkpoint (``.pth``), for prediction; see ``load_published``.
        frozen_stages: the stem and this many encoder stages keep their loaded weights and statistics; 0 trains all.
        encoder_options: further arguments of ``timm.create_model``.
        channels: of each ASPP branch and of the decoder.
        low_level_channels: of the branch from the map at 1/4.
        rates: dilations of ASPP; by default those that fit the output stride.
        dropout: after ASPP and the first 3×3 convolution; after the second.
        mean: of RGB in [0, 1]; by default that of timm's weights.
        std: likewise.

    Raises:
        ValueError: where the encoder does not fit (see ``Encoder``) or the output stride is neither 8 nor 16.
    """

    def __init__(
        self,
        num_classes: int,
        encoder: str,
        output_stride: int = 16,
        dilated: bool = False,
        pretrained: bool = False,
        weights: str | None = None,
        published: str | None = None,
        frozen_stages: int = 0,
        encoder_options: Mapping[str, Any] | None = None,
        channels: int = 256,
        low_level_channels: int = 256,
        rates: Sequence[int] | None = None,
        dropout: tuple[float, float] = (0.5, 0.1),
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if output_stride not in RATES:
            raise ValueError(f"output_stride: one of {sorted(RATES)}, not {output_stride}")
        self.normalise = encoder_normalise(encoder, mean, std)
        self.encoder = Encoder(encoder, output_stride, pretrained, weights, frozen_stages, encoder_options)
        if not dilated:
            undilate(self.encoder)
        self.classifier = nn.Conv2d(self.encoder.channels, num_classes - 1, 1, bias=False)
        self.aspp = ASPP(self.encoder.channels, channels, rates or RATES[output_stride], dropout[0])
        self.low_level = conv_norm_relu(self.encoder.low_level_channels, low_level_channels)
        self.decoder = nn.Sequential(
            conv_norm_relu(channels + low_level_channels, channels, 3),
            nn.Dropout(dropout[0]),
            conv_norm_relu(channels, channels, 3),
            nn.Dropout(dropout[1]),
            nn.Conv2d(channels, num_classes, 3, padding=1, bias=False),
        )
        if published is not None:
            load_published(self, published)
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> SingleStageOutput:
        """Look at images (B, 3, H, W) in [0, 255], uint8 or resized to floats."""
        low_level, last = self.encoder(self.normalise(image))
        # Seeds are thresholds of what these two convolutions say; autocast would move .2 % of them in bfloat16.
        class_maps = in_own_precision(self.classifier, last)
        context = resize(self.aspp(last), low_level.shape[-2:])
        decoded = self.decoder[:-1](torch.cat([context, self.low_level(low_level)], dim=1))
        logits = in_own_precision(self.decoder[-1], decoded)
        return SingleStageOutput(last, class_maps, class_maps.mean((-2, -1)), logits)

    def parameter_groups(self, lr: float, head_factor: float) -> list[dict[str, Any]]:
        """Return the optimiser's groups: the encoder at ``lr``, what is new ``head_factor`` times faster."""
        encoder = [parameter for parameter in self.encoder.parameters() if parameter.requires_grad]
        new = [self.classifier, self.aspp, self.low_level, self.decoder]
        head = [parameter for part in new for parameter in part.parameters()]
        groups: list[dict[str, Any]] = [{"params": head, "lr": lr * head_factor}]
        return [{"params": encoder, "lr": lr}, *groups] if encoder else groups
