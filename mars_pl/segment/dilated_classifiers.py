"""DeepLabv2's head: parallel dilated classifiers, summed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class DilatedClassifiers(nn.ModuleList):
    """A 3×3 convolution to logits for each dilation; the logits are their sum.

    Args:
        inputs: channels of the encoder's last map.
        num_classes: including background.
        rates: the dilations.
    """

    def __init__(self, inputs: int, num_classes: int, rates: Sequence[int]) -> None:
        super().__init__(nn.Conv2d(inputs, num_classes, 3, padding=rate, dilation=rate) for rate in rates)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to logits (B, num_classes, h, w)."""
        return torch.stack([classifier(features) for classifier in self]).sum(dim=0)
