"""Mixing images along confident regions: labelled objects of one go onto another (ours, not in the paper)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Mixing(nn.Module):
    """Pastes the labelled objects of each image's neighbour in the batch onto it, with their labels.

    After MARS an object goes without its companions, whose pixels are biased, so that it stands before backgrounds
    where they are not: the context tells the network nothing, and its own parts have to. ClassMix (Olsson et al., WACV
    2021) pastes half of the classes that a network predicts in an image without labels; here it is all objects of the
    label. Each process mixes its own batch.

    Args:
        share: chance of an image to be pasted on, in [0, 1].

    Raises:
        ValueError: where the share is no such number.
    """

    def __init__(self, share: float = 0.5) -> None:
        super().__init__()
        if not 0 <= share <= 1:
            raise ValueError(f"share: a chance from 0 to 1, not {share}")
        self.share = share

    def forward(
        self, images: Tensor, label: Tensor, weight: Tensor | None, ignore_index: int
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return images, labels and weights like those given; a batch of one image stays as it is.

        Args:
            images: uint8 (B, 3, H, W).
            label: int64 (B, H, W), biased pixels filled or ignored.
            weight: W in [0, 1], (B, H, W), or None, which is 1 everywhere. What a teacher has filled in doubt, with a
                weight below 1, is not pasted.
            ignore_index: label code of pixels that do not train; they are not pasted.
        """
        chosen = torch.rand(len(images), device=images.device) < self.share
        others, their_label = images.roll(1, dims=0), label.roll(1, dims=0)
        pasted = (their_label > 0) & (their_label != ignore_index) & chosen[:, None, None]
        if weight is not None:
            theirs = weight.roll(1, dims=0)
            pasted &= theirs == 1
            weight = torch.where(pasted, theirs, weight)
        return torch.where(pasted[:, None], others, images), torch.where(pasted, their_label, label), weight
