"""Images as networks want them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalise(nn.Module):
    """Turn uint8 RGB into what a pretrained backbone was trained on.

    Every network normalises for itself, so that two networks with different statistics share one batch.

    Args:
        mean: per channel, of RGB in [0, 1].
        std: per channel, of RGB in [0, 1].
    """

    def __init__(self, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(list(mean)).view(3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(list(std)).view(3, 1, 1), persistent=False)
        self.mean: Tensor
        self.std: Tensor

    def forward(self, image: Tensor) -> Tensor:
        """Map uint8 (B, 3, H, W) in [0, 255] to float32 of the same shape with the backbone's mean and deviation.

        The result is laid out channels last, which convolutions on CPUs and tensor cores want.
        """
        normalised = (image.to(self.mean.dtype) - self.mean) / self.std
        return normalised.contiguous(memory_format=torch.channels_last)
