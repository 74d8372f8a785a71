"""Pixel features F of whole photographs (MARS §3.1), computed when they are wanted and never stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from mars_pl.weights import load_weights


class DenseFeatures(nn.Module):
    """Frozen backbone and head as one network from photographs to features.

    Args:
        backbone: uint8 images to tokens, such as ``FrozenViT``.
        head: makes the network from tokens to code from the number of the backbone's channels, such as ``STEGOHead``;
            None gives the tokens themselves (``USS=backbone``).
        weights: of the head, as its fit left them.
        flip: average with the un-flipped features of the mirrored image, as STEGO does at evaluation.

    Raises:
        ValueError: where weights are given without a head or do not fit.
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: Callable[[int], nn.Module] | None = None,
        weights: str | None = None,
        flip: bool = True,
    ) -> None:
        super().__init__()
        if head is None and weights is not None:
            raise ValueError(f"{weights}: weights of a head, but no head is given")
        self.backbone = backbone
        self.head: nn.Module = nn.Identity() if head is None else head(backbone.dim)  # type: ignore[arg-type]
        if weights is not None:
            load_weights(self.head, weights)
        self.flip = flip
        self.dim: int = int((backbone if head is None else self.head).dim)  # type: ignore[arg-type]
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever the module around it does."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, image: Tensor) -> Tensor:
        """Map uint8 RGB (B, 3, H, W) to float32 features (B, dim, h, w), not normalised to unit length."""
        features: Tensor = self.head(self.backbone(image))
        if self.flip:
            features = (features + self.head(self.backbone(image.flip(-1))).flip(-1)) / 2
        return features
