"""What a signal ends in the middle of a Lightning job, and how a fit goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from mars_pl.cli.interruption import Interruption
from mars_pl.pipeline.execution.words import CHECKPOINT


def last_checkpoint(root: Path) -> ModelCheckpoint:
    """Return what keeps a fit's state at the end of each epoch; no stage chooses an epoch by pixel masks."""
    return ModelCheckpoint(
        (root / CHECKPOINT).parent,
        filename=Path(CHECKPOINT).stem,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )


class EndOnSignal(Callback):
    """Keeps Lightning from hearing the signals: it would only note SIGTERM, and end a fit as if it were finished.

    Args:
        interruption: that hears them.
    """

    def __init__(self, interruption: Interruption) -> None:
        self.interruption = interruption

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Hear no further signal while Lightning cleans up."""
        self.interruption.closing = self.interruption.signum is not None

    def _listen(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.interruption.listen()

    def _end(self, *_: Any, **__: Any) -> None:
        self.interruption.end()

    on_train_start = on_validation_start = on_test_start = on_predict_start = _listen
    on_train_batch_end = on_validation_batch_end = on_test_batch_end = on_predict_batch_end = _end
