"""Where a fit stands in its data, so that a resumed one reads on with the next image."""

from __future__ import annotations

from typing import NamedTuple

import pytorch_lightning as pl


class FitPosition(NamedTuple):
    """How far a fit has read.

    Attributes:
        epoch: that it is in, from 0.
        batches: of a process, whose training step in this epoch is done.
    """

    epoch: int = 0
    batches: int = 0


def position_of(trainer: pl.Trainer) -> FitPosition:
    """Return where a trainer's fit stands when a checkpoint is written, which may be in the midst of an epoch."""
    loop = trainer.fit_loop
    epochs, batches = loop.epoch_progress.current, loop.epoch_loop.batch_progress.current
    ended: int = epochs.processed  # type: ignore[attr-defined]
    if epochs.started == ended:  # type: ignore[attr-defined]
        return FitPosition(ended)
    done: int = batches.processed  # type: ignore[attr-defined]
    return FitPosition(ended + 1) if done >= trainer.num_training_batches else FitPosition(ended, done)
