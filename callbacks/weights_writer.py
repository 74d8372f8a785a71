"""What a fit leaves behind: the network to be used next."""

from __future__ import annotations

from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import nn

from mars_pl.training.weights import save_weights


class WeightsWriter(Callback):
    """Writes what the module's ``export()`` returns when a fit has ended well.

    A single network becomes ``weights.safetensors``; a dict of networks, one file a name.

    Args:
        output: folder; by default the trainer's ``default_root_dir``.
    """

    def __init__(self, output: str | None = None) -> None:
        self.output = output

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last weights, from the first process."""
        if not trainer.is_global_zero:
            return
        folder = Path(self.output or trainer.default_root_dir)
        folder.mkdir(parents=True, exist_ok=True)
        exported = pl_module.export()  # type: ignore[operator]
        networks: dict[str, nn.Module] = {"weights": exported} if isinstance(exported, nn.Module) else exported
        for name, network in networks.items():
            path = folder / f"{name}.safetensors"
            save_weights(network, path)
            for logger in trainer.loggers:
                if hasattr(logger, "take_weights"):
                    logger.take_weights(path)
