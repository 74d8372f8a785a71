"""Atrous spatial pyramid pooling as the authors' DeepLabv3+ has it (RS+EPM and DHR)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RATES = {8: (12, 24, 36), 16: (6, 12, 18)}
"""Dilations of the three 3×3 branches by the encoder's output stride."""


def conv_norm_relu(inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Sequential:
    """A convolution that keeps the size, without bias, followed by batch norm and ReLU."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class ASPP(nn.Module):
    """One 1×1 branch, dilated 3×3 branches and image pooling, concatenated and projected with dropout.

    Image pooling sees one value per image and channel, so batch norm needs at least two images while training.

    Args:
        inputs: channels of the encoder's last map.
        channels: of each branch and of the result.
        rates: dilations of the 3×3 branches.
        dropout: after the projection.
    """

    def __init__(self, inputs: int, channels: int, rates: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [conv_norm_relu(inputs, channels), *(conv_norm_relu(inputs, channels, 3, rate) for rate in rates)]
        )
        self.pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv_norm_relu(inputs, channels))
        self.project = nn.Sequential(conv_norm_relu(channels * (len(rates) + 2), channels), nn.Dropout(dropout))

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to (B, channels, h, w)."""
        maps = [branch(features) for branch in self.branches]
        maps.append(self.pooling(features).expand(-1, -1, *features.shape[-2:]))
        return self.project(torch.cat(maps, dim=1))


def resize(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Resize (B, K, h, w) bilinearly to ``size`` (H, W), corners not aligned, as everywhere in this stage."""
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)
