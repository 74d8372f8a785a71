"""Which items a process takes, in which order, and from where on in a fit that was broken off."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import Sampler

from datamodules.datasets.seeding import generator
from datamodules.errors import DataError
from datamodules.processes import processes


def check_processes(images: int) -> None:
    """Raise DataError where there are fewer images than processes."""
    world = processes()[1]
    if images < world:
        fault = f"{images} images for {world} processes, each of which needs one"
        raise DataError(f"{fault}; start fewer processes or take more images")


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


class EpochShuffle(Sampler[tuple[int, int]]):
    """Training: (epoch, index) in an order that depends on seed and epoch alone.

    All processes shuffle alike and deal the indices out in turn, so that their shares of a batch together are the batch
    that one process would take. The few at the end that fill no batch are left out of this epoch: every step is a whole
    one, and every process takes equally many. Lightning calls `set_epoch`, after a resume too, but not before the
    reading processes have begun: `resume_at` says where they begin.

    Args:
        images: number of them.
        seed: of the order.
        batch: images of an optimiser step, over all processes and accumulated batches.

    Raises:
        DataError: where there are fewer images than processes.
    """

    def __init__(self, images: int, seed: int = 0, batch: int = 1) -> None:
        self.rank, self.world = processes()
        check_processes(images)
        self.images = images // batch * batch
        self.listed = images
        self.seed = seed
        self.epoch = 0
        self._taken = (0, 0)

    def resume_at(self, epoch: int, taken: int) -> None:
        """Begin in an epoch of which this process has taken some images already."""
        self.epoch = epoch
        self._taken = (epoch, taken)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.images // self.world

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = torch.randperm(self.listed, generator=generator(self.seed, self.epoch)).numpy()
        epoch, taken = self._taken
        share = order[: len(self) * self.world][self.rank :: self.world]
        for index in share[taken if epoch == self.epoch else 0 :]:
            yield self.epoch, int(index)


def epoch_and_index(key: object) -> tuple[int, int]:
    """Take a training key apart; raises DataError where another sampler than `EpochShuffle` made it."""
    if not isinstance(key, tuple):
        raise DataError("the trainer put a sampler of its own in: set trainer.use_distributed_sampler to false")
    epoch, index = key
    return epoch, index


class EachOnce(Sampler[int]):
    """Evaluation and predict: rank r takes r, r + world, … of those that are left; no image twice.

    Every process needs an image: where fewer are left than there are processes, some that are done are done again.

    Args:
        images: number of them.
        done: indices to leave out.

    Raises:
        DataError: where there are fewer images than processes.
    """

    def __init__(self, images: int, done: Collection[int] = ()) -> None:
        rank, world = processes()
        check_processes(images)
        is_done = np.zeros(images, np.bool_)
        is_done[np.fromiter(done, np.int64, len(done))] = True
        left = np.flatnonzero(~is_done)
        again = np.flatnonzero(is_done)[: max(world - len(left), 0)]
        self._indices = np.concatenate([left, again])[rank::world]

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[int]:
        return map(int, self._indices)
