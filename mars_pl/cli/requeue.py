"""SLURM's warning before a job's time is over: the state is kept after a whole step, not in the midst of one."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from pytorch_lightning.callbacks import Callback

APART = 8
"""Optimiser steps from one agreement of several processes to the next; a warning comes a minute or more ahead."""


class RequeueAfterStep(Callback):
    """Hears SLURM's signal and lets Lightning save and requeue once the optimiser has stepped, in all processes alike.

    Lightning's own handler saves at once, wherever the step stands: the fit that goes on would take a batch twice, or
    lose the gradients that were gathered. Without SLURM, or with its requeueing off, this does nothing.
    """

    def __init__(self) -> None:
        self.heard: int | None = None
        self._signum: int | None = None
        self._requeue: Callable[[int, FrameType | None], Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the place of Lightning's handler, which is there by now."""
        cluster = trainer._accelerator_connector.cluster_environment
        if not isinstance(cluster, SLURMEnvironment) or not cluster.auto_requeue:
            return
        self._step = trainer.global_step
        self._signum = cluster.requeue_signal or signal.SIGUSR1
        handler = signal.getsignal(self._signum)
        if callable(handler):
            self._requeue = handler
            signal.signal(self._signum, self._hear)

    def on_train_batch_end(  # noqa: D102 - Lightning's hook
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        if self._requeue is None or trainer.global_step == self._step:  # gradients are still being accumulated
            return
        self._step = trainer.global_step
        heard = self.heard is not None
        if trainer.world_size > 1:
            heard = self._step % APART == 0 and trainer.strategy.reduce_boolean_decision(heard, all=False)
        if heard:
            self.heard = None
            assert self._signum is not None
            self._requeue(self._signum, None)

    def _hear(self, signum: int, frame: FrameType | None) -> None:
        self.heard = signum
