"""A fit that has left the numbers ends at once, and not after hours with weights that are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

SHOWN = 4
"""Image ids that the line names."""


class Pending(NamedTuple):
    """A loss on its way from the GPU.

    Attributes:
        loss: its value once ``arrived``.
        step: of the optimiser.
        ids: images of the batch.
        arrived: the GPU's note that the value is there; None where it was there at once.
    """

    loss: Tensor
    step: int
    ids: list[str]
    arrived: torch.cuda.Event | None


class FiniteLoss(Callback):
    """Raises ValueError at the first loss that is not finite, with its step and images.

    A GPU is not waited for: its loss is looked at one batch later.
    """

    def __init__(self) -> None:
        self._pending: Pending | None = None
        self._ids: list[str] = []

    def on_train_batch_start(  # noqa: D102 - Lightning's hook
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: object, batch_idx: int
    ) -> None:
        self._ids = [str(name) for name in batch.get("id", ())] if isinstance(batch, Mapping) else []

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor) -> None:
        """Look at the last batch's loss, and keep this one's for the next."""
        self._look()
        value, arrived = loss.detach(), None
        if value.is_cuda:
            value = torch.empty((), dtype=value.dtype, pin_memory=True).copy_(value, non_blocking=True)
            arrived = torch.cuda.Event()
            arrived.record()
        self._pending = Pending(value, trainer.global_step, self._ids, arrived)
        if arrived is None:
            self._look()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Look at the epoch's last loss, before a checkpoint is written."""
        self._look()

    def _look(self) -> None:
        pending, self._pending = self._pending, None
        if pending is None:
            return
        if pending.arrived is not None:
            pending.arrived.synchronize()
        if not torch.isfinite(pending.loss):
            images = ", ".join(pending.ids[:SHOWN]) + (", …" if len(pending.ids) > SHOWN else "")
            raise ValueError(
                f"the loss is {pending.loss.item()} at optimiser step {pending.step}"
                + (f" (images {images})" if images else "")
                + "; take a smaller model.init_args.lr or trainer.precision 32-true, and look at these images"
            )
