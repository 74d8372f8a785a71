"""Randomness that a resumed fit repeats."""

from __future__ import annotations

import os
import random

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback


class SeedEpoch(Callback):
    """Reseeds torch, numpy and random at each training epoch by (seed, epoch, rank), for dropout and its like.

    Without it, one epoch and a resumed second one differ from two epochs at a stretch. The data's own shuffling and
    augmentation are seeded by the datamodule.

    Args:
        seed: by default that of ``seed_everything``, or 0.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Reseed this process before an epoch's first batch: data loaders draw seeds of their own until then."""
        if batch_idx > 0:
            return
        seed = int(os.environ.get("PL_GLOBAL_SEED", 0)) if self.seed is None else self.seed
        words = np.random.SeedSequence([seed, trainer.current_epoch, trainer.global_rank]).generate_state(3)
        torch.manual_seed(int(words[0]))
        np.random.seed(int(words[1]))
        random.seed(int(words[2]))
