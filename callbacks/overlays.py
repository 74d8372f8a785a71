"""Images with their masks, sent to the dashboard at the end of a validation epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray
from pytorch_lightning.loggers import WandbLogger
from torch import Tensor

from datamodules.files.drawing import Picture, blend, shown
from datamodules.files.labels import as_label, read_label
from datamodules.files.shards.place import place
from mars_pl.dashboards.items import Overlay
from mars_pl.dashboards.session import log

MOST = 50
"""Images in one step: dashboards drop what goes far beyond."""


class Overlays(pl.Callback):
    """Log the first validation images with truth, prediction and labels to every logger that has `log_image`.

    Weights & Biases gets a panel an image, whatever its size, with masks that can be switched on and off by class name;
    any other logger gets the image and its blended masks side by side in one picture. Only rank 0 logs, and never with
    `step=`: media have their own counter.

    Args:
        folders: label folders by the name to show, e.g. {"Yᵇ": …, "Yᵈᵇ": …, "Yᶜᵒ": …}; an id without a
            file is left out.
        count: images in an epoch, at most 50.
        every_n_epochs: log after every so many epochs.
        key: name of the panels' section.

    Raises:
        ValueError: where `count` is above 50 or either number is below 1.
    """

    def __init__(
        self, folders: Mapping[str, str] | None = None, count: int = 8, every_n_epochs: int = 1, key: str = "overlays"
    ) -> None:
        if not 1 <= count <= MOST or every_n_epochs < 1:
            given = f"count is {count}, every_n_epochs {every_n_epochs}"
            raise ValueError(f"overlays: {given}; count lies in 1…{MOST}, every_n_epochs begins at 1")
        self.folders = {name: place(folder) for name, folder in (folders or {}).items()}
        self.count, self.every_n_epochs, self.key = count, every_n_epochs, key
        self._overlays: list[Overlay] = []

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin with no image."""
        self._overlays = []

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Mapping[str, Any],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the images of the batch until there are enough; `outputs["prediction"]` is int64 (B, H, W)."""
        if not self._due(trainer) or dataloader_idx or not isinstance(outputs, Mapping) or "prediction" not in outputs:
            return
        for index in range(min(len(batch["id"]), self.count - len(self._overlays))):
            self._overlays.append(self._overlay(batch, outputs["prediction"], index, len(_names(trainer))))

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log what was kept."""
        if not self._overlays:
            return
        names = _names(trainer)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                log(logger.experiment, {f"{self.key}/{one.image_id}": one for one in self._overlays}, names)
            elif hasattr(logger, "log_image"):
                logger.log_image(self.key, [side_by_side(overlay) for overlay in self._overlays])
        self._overlays = []

    def _due(self, trainer: pl.Trainer) -> bool:
        wanted = trainer.is_global_zero and any(hasattr(logger, "log_image") for logger in trainer.loggers)
        return wanted and not trainer.sanity_checking and (trainer.current_epoch + 1) % self.every_n_epochs == 0

    def _overlay(self, batch: Mapping[str, Any], prediction: Tensor, index: int, num_classes: int) -> Overlay:
        rows, columns = slice(None), slice(None)
        if "valid" in batch:  # images of one batch may be padded to a common size
            valid = batch["valid"][index].cpu().numpy()
            rows, columns = _extent(valid.any(axis=1)), _extent(valid.any(axis=0))
        image = batch["image"][index].permute(1, 2, 0).cpu().numpy()
        picture = np.ascontiguousarray(image[rows, columns].astype(np.uint8))
        overlay = Overlay(str(batch["id"][index]), picture)
        for name, masks in (("truth", batch.get("truth")), ("prediction", prediction)):
            if masks is not None:
                overlay.masks[name] = shown(as_label(masks[index].cpu().numpy()[rows, columns], num_classes))
        for name, folder in self.folders.items():
            path = folder / f"{overlay.image_id}.png"
            label = read_label(path) if path.is_file() else None
            if label is not None and label.shape == picture.shape[:2]:
                overlay.masks[name] = shown(label)
        return overlay


def _names(trainer: pl.Trainer) -> Sequence[str]:
    return getattr(getattr(trainer, "datamodule", None), "class_names", ())


def side_by_side(overlay: Overlay) -> Picture:
    """Return the image and each blended mask next to one another, uint8 (H, (1 + masks) · W, 3)."""
    blended = (blend(overlay.picture, mask) for mask in overlay.masks.values())
    return np.concatenate([overlay.picture, *blended], axis=1)


def _extent(line: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(line)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(None)
