"""Fit STEGO's head on the target images, without any label (MARS §3.1; STEGO section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from mars_pl.uss.stego.dropout import channel_dropout, checked_share
from mars_pl.uss.stego.loss import STEGOLoss


class STEGOModule(pl.LightningModule):
    """Lightning glue: batches of pairs of neighbours in, the head's weights out.

    STEGO's probes, which learn beside the head from codes that take no gradient, only watch: there are none here.

    Args:
        head: makes the network that learns, tokens to code, from the number of the backbone's channels.
        backbone: gives the tokens of images; not asked where a batch brings them.
        loss: STEGO's by default.
        lr: of Adam, without schedule.
        feature_dropout: share of the tokens' channels that the loss does without in each image, as in STEGO's code.

    Raises:
        ValueError: where ``feature_dropout`` is not in [0, 1).
    """

    def __init__(
        self,
        head: Callable[[int], nn.Module],
        backbone: nn.Module,
        loss: STEGOLoss | None = None,
        lr: float = 5e-4,
        feature_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.head = head(backbone.dim)  # type: ignore[arg-type]
        self.backbone = backbone
        self.loss = loss or STEGOLoss()
        self.lr = lr
        self.feature_dropout = checked_share("feature_dropout", feature_dropout)

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Read ``tokens`` and ``positive_tokens``, or ``image`` and ``positive_image``, and nothing else."""
        tokens, positive = self._tokens(batch, ""), self._tokens(batch, "positive_")
        terms = self.loss(
            channel_dropout(tokens, self.feature_dropout),
            self.head(tokens),
            channel_dropout(positive, self.feature_dropout),
            self.head(positive),
        )
        self.log_dict(terms._asdict(), batch_size=len(tokens))
        return terms.loss

    def configure_optimizers(self) -> Optimizer:
        """Adam on the head alone."""
        return Adam(self.head.parameters(), lr=self.lr)

    def export(self) -> nn.Module:
        """Give the network whose weights the next stage reads: the head."""
        return self.head

    def _tokens(self, batch: dict[str, Any], prefix: str) -> Tensor:
        if f"{prefix}tokens" in batch:
            # Stored as float16; the head's precision is the trainer's business.
            tokens: Tensor = batch[f"{prefix}tokens"].float()
            return tokens
        return self.backbone(batch[f"{prefix}image"])
