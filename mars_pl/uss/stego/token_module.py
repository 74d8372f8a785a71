"""A predict job over crops: what the neighbours are found by, and the tokens a fit may start from."""

from __future__ import annotations

from typing import Any, TypedDict

import pytorch_lightning as pl
from torch import Tensor, nn

from mars_pl.uss.stego.neighbours import pool


class TokenPrediction(TypedDict):
    """Of a batch of B crops: ids, tokens (B, D, h, w) float32 and unit vectors (B, D)."""

    id: list[str]
    tokens: Tensor
    pooled: Tensor


class TokenModule(pl.LightningModule):
    """Lightning glue around a frozen backbone; see ``callbacks.neighbour_writer`` for what is kept.

    Args:
        backbone: uint8 images to tokens, such as ``FrozenViT``.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> TokenPrediction:
        """Describe crops of one size, ``image`` uint8 (B, 3, H, W)."""
        tokens = self.backbone(batch["image"])
        return {"id": list(batch["id"]), "tokens": tokens, "pooled": pool(tokens)}
