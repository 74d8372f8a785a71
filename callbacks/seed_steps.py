"""Randomness that a resumed fit repeats."""

from __future__ import annotations

import os
import random

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback


class SeedSteps(Callback):
    """Reseeds torch, numpy and random before each batch by (seed, epoch, batch, rank), for dropout and its like.

    So a fit that goes on, after an epoch or in the midst of one, draws what it would have drawn. The data's own
    shuffling and augmentation are seeded by the datamodule.

    Args:
        seed: by default that of ``seed_everything``, or 0.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Reseed this process."""
        seed = int(os.environ.get("PL_GLOBAL_SEED", 0)) if self.seed is None else self.seed
        place = [seed, trainer.current_epoch, batch_idx, trainer.global_rank]
        words = np.random.SeedSequence(place).generate_state(3)
        torch.manual_seed(int(words[0]))
        np.random.seed(int(words[1]))
        random.seed(int(words[2]))
