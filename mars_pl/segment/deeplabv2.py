"""DeepLabv2 on a timm ResNet, trained on three scales and their maximum (kazuto1011/deeplab-pytorch)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from mars_pl.networks.aspp import resize
from mars_pl.networks.caffe_layout import Layout
from mars_pl.networks.encoder import Encoder, encoder_normalise
from mars_pl.networks.freezing import freeze_batch_norms, hold_batch_norms
from mars_pl.segment.dilated_classifiers import DilatedClassifiers
from mars_pl.training.optimisation import groups_by_role


class DeepLabV2(nn.Module):
    """Four parallel dilated classifiers, summed; the image is looked at in several sizes (configs/voc12.yaml).

    Args:
        num_classes: including background.
        encoder: timm name, e.g. ``resnet101.tv_in1k``.
        output_stride: of the encoder.
        pretrained: take timm's ImageNet weights from its hub.
        weights: or a safetensors file of the timm model, with or without its classifier.
        frozen_batch_norm: keep statistics, scales and shifts of the encoder's batch norms, as published; off where
            training starts from random weights.
        first_dilations: of the ResNet's late stages, see ``dilate_first_blocks``; ``None`` for another encoder.
        layout: ``caffe`` as published, with weights that were trained so: `mars weights import resnet-caffe`; then
            images are normalised as they want, see ``CAFFE_MEAN``. ``torchvision`` for those of timm's hub.
        ceil_mode: of the stem's max pool, as published (41, 31 and 21 cells of a crop of 321 at its three scales);
            false for an encoder without one.
        encoder_options: further arguments of ``timm.create_model``.
        rates: dilations of the 3×3 classifiers.
        scales: of the image, beside 1.
        mean: of RGB in [0, 1]; by default that of the weights.
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
        frozen_batch_norm: bool = True,
        first_dilations: tuple[int, int] | None = (2, 4),
        layout: Layout = "torchvision",
        ceil_mode: bool = True,
        encoder_options: Mapping[str, Any] | None = None,
        rates: Sequence[int] = (6, 12, 18, 24),
        scales: Sequence[float] = (0.75, 0.5),
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.normalise = encoder_normalise(encoder, mean, std, layout)
        self.encoder = Encoder(
            encoder,
            output_stride,
            pretrained,
            weights,
            options=encoder_options,
            first_dilations=first_dilations,
            layout=layout,
            ceil_mode=ceil_mode,
        )
        self.classifiers = DilatedClassifiers(self.encoder.channels, num_classes, rates)
        for name, parameter in self.classifiers.named_parameters():
            if name.endswith("weight"):
                nn.init.normal_(parameter, std=0.01)
            else:
                nn.init.zeros_(parameter)
        self.scales = tuple(scales)
        self.frozen_batch_norm = frozen_batch_norm
        if frozen_batch_norm:
            freeze_batch_norms(self.encoder)
        self.to(memory_format=torch.channels_last)
        self.train()  # Lightning keeps the modes it finds

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        """Map uint8 images (B, 3, H, W) of any size to logits (B, num_classes, h, w) at the output stride.

        Returns:
            the pixelwise maximum over all scales; while training a list of the logits of the image, of each further
            scale at its own size, and that maximum, each of which takes a loss.
        """
        normalised = self.normalise(image)
        every = [self._logits(normalised)]
        for scale in self.scales:
            every.append(self._logits(resize(normalised, [int(side * scale) for side in image.shape[-2:]])))
        size = every[0].shape[-2:]
        fused = torch.stack([every[0], *(resize(logits, size) for logits in every[1:])]).amax(dim=0)
        return [*every, fused] if self.training and self.scales else fused

    def _logits(self, normalised: Tensor) -> Tensor:
        _, last = self.encoder(normalised)
        return self.classifiers(last)

    def train(self, mode: bool = True) -> Self:
        """Switch to training; frozen batch norms stay in evaluation."""
        super().train(mode)
        if self.frozen_batch_norm:
            hold_batch_norms(self.encoder)
        return self

    def parameter_groups(self, lr: float, head_factor: float = 10.0) -> list[dict[str, Any]]:
        """Return the optimiser's groups: the encoder and the classifiers, whose biases learn twice as fast."""
        return groups_by_role([self.encoder], [self.classifiers], lr, head_factor)
