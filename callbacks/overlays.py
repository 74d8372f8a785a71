"""Images with their masks, sent to the dashboard at the end of a validation epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray
from pytorch_lightning.loggers import WandbLogger
from torch import Tensor

from datamodules.files.drawing import Picture, blend, shown
from datamodules.files.labels import BIASED, IGNORED, as_label, label_codes, read_label

MOST = 50
"""Images in one step: dashboards drop what goes far beyond."""


@dataclass
class Overlay:
    """One image, uint8 (H, W, 3), and its masks by name, uint8 (H, W) each."""

    image_id: str
    picture: Picture
    masks: dict[str, NDArray[np.uint8]] = field(default_factory=dict)


class Overlays(pl.Callback):
    """Log the first validation images with truth, prediction and labels to every logger that has `log_image`.

    Weights & Biases gets masks that can be switched on and off by class name; any other logger gets the image and
    its blended masks side by side in one picture. Only rank 0 logs, and never with `step=`: media have
    their own counter.

    Args:
        folders: label folders by the name to show, e.g. {"Yᵇ": …, "Yᵈᵇ": …, "Yᶜᵒ": …}; an id without a
            file is left out.
        count: images in an epoch, at most 50.
        every_n_epochs: log after every so many epochs.
        key: name of the panel.

    Raises:
        ValueError: where `count` is above 50 or either number is below 1.
    """

    def __init__(
        self, folders: Mapping[str, str] | None = None, count: int = 8, every_n_epochs: int = 1, key: str = "overlays"
    ) -> None:
        if not 1 <= count <= MOST or every_n_epochs < 1:
            given = f"count is {count}, every_n_epochs {every_n_epochs}"
            raise ValueError(f"overlays: {given}; count lies in 1…{MOST}, every_n_epochs begins at 1")
        self.folders = {name: Path(folder) for name, folder in (folders or {}).items()}
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
                overlays = of_one_size(self._overlays)
                masks = [_wandb_masks(overlay, names) for overlay in overlays]
                captions = [overlay.image_id for overlay in overlays]
                pictures = [overlay.picture for overlay in overlays]
                logger.log_image(self.key, pictures, masks=masks, caption=captions)
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


def of_one_size(overlays: Sequence[Overlay]) -> list[Overlay]:
    """Fill images up with black, right and below, and masks with what is ignored: W&B shows a list at one size."""
    height = max(overlay.picture.shape[0] for overlay in overlays)
    width = max(overlay.picture.shape[1] for overlay in overlays)

    def filled(array: NDArray[np.uint8], value: int) -> NDArray[np.uint8]:
        missing = (height - array.shape[0], width - array.shape[1])
        edges = [(0, missing[0]), (0, missing[1]), *[(0, 0)] * (array.ndim - 2)]
        return np.pad(array, edges, constant_values=value)

    return [
        Overlay(
            overlay.image_id,
            filled(overlay.picture, 0),
            {name: filled(mask, IGNORED) for name, mask in overlay.masks.items()},
        )
        for overlay in overlays
    ]


def _wandb_masks(overlay: Overlay, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Masks in the form `wandb.Image` takes them; a class without a name goes by its number."""
    known = dict(enumerate(names)) if label_codes(len(names)).bits == 8 else {}  # colours that go round have no names
    labels = known | {BIASED: "biased (removed)", IGNORED: "ignored"}
    seen = {int(value) for mask in overlay.masks.values() for value in np.unique(mask)}
    labels |= {value: str(value) for value in sorted(seen - labels.keys())}
    return {name: {"mask_data": mask, "class_labels": labels} for name, mask in overlay.masks.items()}


def _extent(line: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(line)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(None)
