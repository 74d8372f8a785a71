"""What every fit says of itself beside its losses: learning rates and throughput, often enough in short epochs too."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

ROWS = 10
"""Rows that an epoch logs at least, where it has as many optimiser steps."""


class FitPace(Callback):
    """Logs ``lr/<parameter group>`` and ``train/images_per_second`` at each step that is logged.

    The trainer's `log_every_n_steps` is lowered to a tenth of an epoch where that is less: an epoch of ten batches
    would log nothing else.
    """

    def __init__(self) -> None:
        self._images, self._since = 0, 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let the interval follow the epoch's length."""
        steps = trainer.num_training_batches / trainer.accumulate_grad_batches
        given = trainer.log_every_n_steps  # type: ignore[attr-defined]
        if math.isfinite(steps):
            trainer.log_every_n_steps = max(1, min(given, int(steps / ROWS)))  # type: ignore[attr-defined]
        self._images, self._since = 0, time.monotonic()  # a fit that goes on within an epoch does not begin one

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin to count; what lies between two epochs is no training."""
        self._images, self._since = 0, time.monotonic()

    def on_train_batch_end(  # noqa: D102 - Lightning's hook
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        self._images += len(batch["id"]) if isinstance(batch, Mapping) and "id" in batch else 0
        if not trainer._logger_connector.should_update_logs:
            return
        groups = [group["lr"] for optimizer in trainer.optimizers for group in optimizer.param_groups]
        for index, rate in enumerate(groups):
            pl_module.log(f"lr/{index}", rate)
        seconds = time.monotonic() - self._since
        if self._images and seconds > 0:
            pl_module.log("train/images_per_second", self._images * trainer.world_size / seconds)
        self._images, self._since = 0, time.monotonic()
