"""Backbones that hand out their last three feature maps, as SEAM and PSA's AffinityNet read them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import timm
import torch
from torch import Tensor, nn

from mars_pl.networks.freezing import freeze, freeze_batch_norms, hold_batch_norms
from mars_pl.training.weights import load_weights

IntermediateFeatures = tuple[Tensor, Tensor, Tensor]
"""Three feature maps (B, D, h, w) on one grid, from shallow to deep."""


class IntermediateFeatureBackbone(nn.Module, ABC):
    """A backbone with three intermediate feature maps at one stride.

    A base class and no `typing.Protocol`, so that jsonargparse takes a ``class_path`` for it.

    Attributes:
        channels: of the three maps.
        stride: of their grid.
        frozen_batch_norm: batch norms keep their statistics, scales and shifts.
    """

    channels: tuple[int, int, int]
    stride: int
    frozen_batch_norm: bool

    @abstractmethod
    def forward(self, image: Tensor) -> IntermediateFeatures:
        """Map normalised images (B, 3, H, W) to three maps of ⌈H / stride⌉ × ⌈W / stride⌉ cells."""

    def train(self, mode: bool = True) -> Self:
        """Switch to training; frozen batch norms stay in evaluation."""
        super().train(mode)
        if self.frozen_batch_norm:
            hold_batch_norms(self)
        return self


class TimmIntermediateFeatures(IntermediateFeatureBackbone):
    """The last three stages of a timm model, dilated to one stride.

    Args:
        name: timm name, e.g. ``resnet10t``.
        pretrained: take timm's ImageNet weights from its hub.
        weights: or a safetensors file of the timm model, its ImageNet classifier included.
        output_stride: of all three maps.
        frozen: prefixes of parameters that receive no gradient.
        frozen_batch_norm: keep the batch norms as loaded, as SEAM does; off where training starts from random weights.
        options: further arguments of ``timm.create_model``.

    Raises:
        ValueError: where the last three stages have several strides, or a prefix in ``frozen`` fits no parameter.
    """

    def __init__(
        self,
        name: str,
        pretrained: bool = False,
        weights: str | None = None,
        output_stride: int = 8,
        frozen: Sequence[str] = (),
        frozen_batch_norm: bool = True,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        model = timm.create_model(name, pretrained=pretrained, output_stride=output_stride, **(options or {}))
        if weights is not None:
            load_weights(model, weights)
        model.prune_intermediate_layers(3, prune_norm=True, prune_head=True)
        self.model = model
        self.stride = output_stride
        self.channels = self._checked_channels(name)
        freeze(self.model, frozen)
        self.frozen_batch_norm = frozen_batch_norm
        if frozen_batch_norm:
            freeze_batch_norms(self.model)
        self.train()  # Lightning keeps the modes it finds

    def forward(self, image: Tensor) -> IntermediateFeatures:
        """Map normalised images (B, 3, H, W) to the maps of the last three stages."""
        shallow, middle, deep = self.model.forward_intermediates(image, indices=3, intermediates_only=True)
        return shallow, middle, deep

    def _checked_channels(self, name: str) -> tuple[int, int, int]:
        side = 8 * self.stride
        with torch.no_grad():
            maps = self.model.eval().forward_intermediates(
                torch.zeros(1, 3, side, side), indices=3, intermediates_only=True
            )
        strides = [side // each.shape[-1] for each in maps]
        if strides != [self.stride] * 3:
            raise ValueError(f"{name}: its last three stages have strides {strides}; set output_stride to {strides[0]}")
        shallow, middle, deep = (int(each.shape[1]) for each in maps)
        return shallow, middle, deep
