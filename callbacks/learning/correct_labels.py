"""Corrects the labels of a fit class by class, each from the epoch on in which it is learnt and its errors not yet."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from datamodules.datasets.beside.corrected_crops import CorrectedCrops, CorrectedTrainingCrops
from datamodules.errors import DataError
from datamodules.files.labels import as_label
from mars_pl.metrics.segmentation_scores import region_counts
from mars_pl.segment.adele.early_learning import early_learning_ended
from mars_pl.segment.adele.label_correction import (
    SCALES,
    TEMPERATURE,
    THRESHOLD,
    concerned,
    correct_label,
    tempered_probabilities,
)
from mars_pl.training.over_processes import own_share, place, sum_over_processes

FOLDER = "corrected_labels"
"""Of the fit's folder: corrected labels, a folder an epoch, of the last epochs."""


class CorrectLabels(Callback):
    """ADELE's label correction: watches the IoU of each class with its first labels and corrects it once it flattens.

    At the end of an epoch the network that learns looks at all training images, each process at its own share. IoUs are
    sums over all processes. The data's training set is ``CorrectedCrops``, the module leaves its mask in ``predicted``.

    Args:
        points: IoUs that an epoch gives each class's curve (ADELE: one every 100 of 1,058 steps).
        change: of the curve's slope since epoch 1, above which early learning has ended (ADELE's r).
        scales: of the image in the predictions that correct.
        temperature: of their softmax.
        threshold: of the probability that a label gives way to.
        flip_from: mirror images are added from this epoch on (ADELE: 9); None never adds them.

    Raises:
        ValueError: where a number is none of these.
    """

    def __init__(
        self,
        points: int = 10,
        change: float = 0.9,
        scales: Sequence[float] = SCALES,
        temperature: float = TEMPERATURE,
        threshold: float = THRESHOLD,
        flip_from: int | None = 9,
    ) -> None:
        if points < 1:
            raise ValueError(f"points: at least one an epoch, not {points}")
        if not 0 < change < 1:
            raise ValueError(f"change: a share of the slope, between 0 and 1, not {change}")
        self.points, self.change, self.threshold = points, change, threshold
        self.scales, self.temperature, self.flip_from = tuple(scales), temperature, flip_from
        self.curves: list[list[float]] = []
        """IoUs of all classes at each point so far, background first."""
        self.corrected: list[int] = []
        """Foreground classes whose early learning has ended, in the order in which it did."""
        self.newest: int | None = None
        """Epoch of the newest corrected labels; None before the first."""
        self._counts: Tensor | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Say where corrected labels lie, before the reading processes begin; raises DataError for other data."""
        if stage != "fit":
            return
        data = getattr(getattr(trainer, "datamodule", None), "training_set", None)
        if not isinstance(data, CorrectedCrops) or not hasattr(pl_module, "predicted"):
            raise DataError("CorrectLabels: wants ADELEModule and CorrectedCrops; take configs/train/adele.yaml")
        data.corrected.folder = Path(trainer.default_root_dir) / FOLDER

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remove an earlier fit's labels; raises DataError where those of a resumed one are not there."""
        folder = Path(trainer.default_root_dir) / FOLDER
        if trainer.global_step == 0 and place()[0] == 0:
            shutil.rmtree(folder, ignore_errors=True)
        trainer.strategy.barrier()
        if self.newest is not None and not (folder / str(self.newest)).is_dir():
            raise DataError(
                f"{folder / str(self.newest)}: the checkpoint goes on with corrected labels that are not there; "
                "resume in the folder of the fit, or begin it anew without ckpt_path"
            )

    def on_train_batch_end(  # noqa: D102 - Lightning's hook
        self, trainer: pl.Trainer, pl_module: Any, outputs: object, batch: dict[str, Any], batch_idx: int
    ) -> None:
        counts = sum_over_processes(label_counts(pl_module.predicted, batch["initial_label"], pl_module.num_classes))
        self._counts = counts if self._counts is None else self._counts.to(counts.device) + counts
        steps = int(trainer.num_training_batches)
        if (batch_idx + 1) * self.points // steps > batch_idx * self.points // steps:
            right, predicted, true = self._counts.cpu().double()
            self.curves.append((right / (predicted + true - right).clamp(min=1)).tolist())
            self._counts = None

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """See which classes are learnt, and correct the labels of the next epoch."""
        epoch = trainer.current_epoch
        per_epoch = min(self.points, int(trainer.num_training_batches))
        new = [
            index
            for index in range(1, pl_module.num_classes)
            if index not in self.corrected
            and early_learning_ended([ious[index] for ious in self.curves], per_epoch, epoch, self.change)
        ]
        self.corrected += new
        pl_module.log("adele/corrected_classes", float(len(self.corrected)), rank_zero_only=True)
        if self.corrected and not _is_last(trainer):
            share = self._correct(trainer, pl_module, epoch)
            pl_module.log("adele/changed_share", share, rank_zero_only=True)
            names = getattr(trainer.datamodule, "class_names", None) or range(pl_module.num_classes)  # type: ignore[attr-defined]
            from_now_on = f"; {', '.join(str(names[index]) for index in new)} from now on" if new else ""
            pl_module.print(f"epoch {epoch}: {100 * share:.1f} % of the labels' pixels are corrected{from_now_on}")

    def _correct(self, trainer: pl.Trainer, pl_module: Any, epoch: int) -> float:
        """Write the labels of the next epoch; returns the share of pixels that are no longer as they were at first."""
        data: CorrectedCrops = trainer.datamodule.training_set  # type: ignore[attr-defined]
        assert data.crops is not None
        if place()[0] == 0:
            data.corrected.begin(epoch + 1)
        trainer.strategy.barrier()
        changed = torch.zeros(2, dtype=torch.int64)
        pl_module.network.eval()
        with torch.no_grad(), trainer.precision_plugin.forward_context():
            for index in own_share(len(data.crops)):
                changed += self._correct_image(data.crops, pl_module, epoch, index)
        pl_module.train()
        different, pixels = sum_over_processes(changed.to(pl_module.device)).tolist()  # all have written by then
        self.newest = epoch + 1
        return different / max(pixels, 1)

    def _correct_image(self, crops: CorrectedTrainingCrops, pl_module: Any, epoch: int, index: int) -> Tensor:
        sample = crops.whole(epoch, index)
        label, first = sample["label"], sample["initial_label"]
        if concerned(label, self.corrected, pl_module.num_classes):
            maps = self.predict(pl_module, sample["image"], epoch)
            label = correct_label(label.to(maps.device), maps, self.corrected, self.threshold).cpu()
        different = int((label != first).sum())
        if different:
            crops.corrected.write(epoch + 1, sample["id"], as_label(label.numpy(), pl_module.num_classes))
        return torch.tensor([different, label.numel()])

    def predict(self, pl_module: Any, image: Tensor, epoch: int) -> Tensor:
        """Return the probabilities (K, H, W) of a whole image, uint8 (3, H, W), from the network that learns."""
        flip = self.flip_from is not None and epoch >= self.flip_from
        images = image[None].to(pl_module.device)
        return tempered_probabilities(pl_module.network, images, self.scales, flip, self.temperature)[0]

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed fit needs to go on; the labels lie beside the checkpoint."""
        counts = None if self._counts is None else self._counts.tolist()
        return {"curves": self.curves, "corrected": self.corrected, "newest": self.newest, "counts": counts}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was taken."""
        self.curves, self.corrected = list(state_dict["curves"]), list(state_dict["corrected"])
        self.newest, counts = state_dict["newest"], state_dict["counts"]
        self._counts = None if counts is None else torch.tensor(counts, dtype=torch.int64)


def label_counts(prediction: Tensor, label: Tensor, num_classes: int) -> Tensor:
    """Count what an IoU with a label needs, see ``region_counts``, where the label is a class.

    Args:
        prediction: int64 of any shape.
        label: int64 of the same; pixels that are no class do not count.
        num_classes: background counted.
    """
    known = label < num_classes
    return region_counts(prediction[known], label[known], num_classes)


def _is_last(trainer: pl.Trainer) -> bool:
    """Tell whether nobody will learn from the labels of a next epoch."""
    steps = trainer.max_steps
    return trainer.current_epoch + 1 == trainer.max_epochs or 0 <= steps <= trainer.global_step
