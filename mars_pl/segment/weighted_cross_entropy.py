"""Weighted cross entropy (§3.4, Eq. 7)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.aspp import resize
from mars_pl.networks.nearest import resize_nearest
from mars_pl.training.over_processes import mean_count


class WeightedCrossEntropy(nn.Module):
    """Cross entropy of each pixel times its certainty W (Eq. 7), always in float32.

    Args:
        ignore_index: label code of pixels that do not train.
        norm: what the sum is divided by: ``pixels``, those that are not ignored, so that doubt makes the loss smaller;
            or ``weights``, the sum of W. Under DDP those of all processes count.
        loss_size: where the two meet: ``image``, logits upsampled to the label; or ``logits``, label and W resized to
            the smaller logits (deeplab-pytorch, DHR; by which pixels, ``resize_nearest`` says).
    """

    def __init__(
        self,
        ignore_index: int = 255,
        norm: Literal["pixels", "weights"] = "pixels",
        loss_size: Literal["image", "logits"] = "image",
    ) -> None:
        super().__init__()
        self.ignore_index, self.norm, self.loss_size = ignore_index, norm, loss_size

    def forward(self, logits: Tensor, label: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the loss, a float32 scalar; 0 where every pixel is ignored.

        Args:
            logits: (B, K, h, w).
            label: int64 (B, H, W).
            weight: W in [0, 1], (B, H, W); ``None`` is 1 everywhere.
        """
        weight = torch.ones_like(label, dtype=torch.float32) if weight is None else weight.float()
        if self.loss_size == "image":
            logits = resize(logits.float(), label.shape[-2:])
        else:
            label, weight = resize_nearest(label, logits.shape[-2:]), resize_nearest(weight, logits.shape[-2:])
        entropy = F.cross_entropy(logits.float(), label, ignore_index=self.ignore_index, reduction="none")
        counted = (label != self.ignore_index).float()
        total = counted.sum() if self.norm == "pixels" else (weight * counted).sum()
        return (weight * entropy).sum() / mean_count(total, least=1e-6)
