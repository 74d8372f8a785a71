"""Bring the centroids of all images together, select the debiased ones and write both down (paper §3.2, Eq. 1–3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import BasePredictionWriter

from callbacks.candidate_parts import Found, read_parts, write_part
from callbacks.candidate_table import CandidateTable
from callbacks.output_folder import output_folder
from datamodules.errors import DataError
from mars_pl.debias.centroid_module import ImageCandidates
from mars_pl.debias.centroids import NO_CANDIDATES, Candidates, join, select, share
from mars_pl.debias.distance import Distance, background_distance
from mars_pl.debias.region_iou import region_iou


class CentroidWriter(BasePredictionWriter):
    """Collect what ``CentroidModule`` predicts over all processes and write the three files of ``CandidateTable``.

    Where a batch has ``truth``, the IoU of each candidate's region is written beside it; the selection never reads it.

    Args:
        alpha: share of each class's candidates that make its debiased centroid (paper: .40).
        distance: to all background centroids, their ``mean`` (Eq. 1), the ``minimum``, or the mean of the ``nearest``.
        nearest_count: how many, for ``nearest``.
        output: folder, relative to the run's ``default_root_dir``.

    Raises:
        ValueError: where α is not in (0, 1].
    """

    def __init__(
        self, alpha: float = 0.4, distance: Distance = "mean", nearest_count: int = 10, output: str = "."
    ) -> None:
        super().__init__("batch")
        share(1, alpha)  # a wrong α must not wait for the last image
        self.output = Path(output)
        self.alpha, self.distance, self.nearest_count = alpha, distance, nearest_count

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start with empty hands."""
        self.output = output_folder(trainer, str(self.output))
        self._parts: list[Candidates] = []
        self._iou: list[float] = []
        self._images = 0
        self._empty = torch.zeros(trainer.datamodule.num_classes, dtype=torch.long)  # type: ignore[attr-defined]

    def write_on_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        prediction: ImageCandidates,
        batch_indices: Sequence[int] | None,
        batch: dict[str, Any],
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Keep the candidates of one image, and measure their regions where there is truth."""
        candidates = prediction.candidates
        self._parts.append(candidates)
        self._images += 1
        self._empty[list(prediction.empty)] += 1
        if "truth" not in batch:
            self._iou += [float("nan")] * len(candidates)
            return
        label, truth = batch["label"][0].cpu(), batch["truth"][0].cpu()
        ignore_index = trainer.datamodule.ignore_index  # type: ignore[attr-defined]
        for row, index in enumerate(candidates.classes.tolist()):
            self._iou.append(region_iou(prediction.region(row, label), truth, index, ignore_index))

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write this process's part; then, in the first process, merge, select and write."""
        candidates = join(self._parts) if self._parts else NO_CANDIDATES
        iou = torch.tensor(self._iou, dtype=torch.float64)
        write_part(self._part(trainer.global_rank), Found(candidates, iou, self._images, self._empty))
        trainer.strategy.barrier("centroids: parts are written")
        if trainer.is_global_zero:
            paths = [self._part(rank) for rank in range(trainer.world_size)]
            data = trainer.datamodule  # type: ignore[attr-defined]
            table = self._select(read_parts(paths), data.class_names, data.predict_split)
            table.write(self.output)
            table.print()
            for path in paths:
                path.unlink()

    def _part(self, rank: int) -> Path:
        return self.output / f"candidates.{rank}.part"

    def _select(self, found: Found, class_names: Sequence[str], split: str) -> CandidateTable:
        candidates = found.candidates
        is_background = candidates.classes == 0
        foreground, background = candidates.take(~is_background), candidates.take(is_background)
        if not len(foreground) or not len(background):
            raise DataError(
                f"{self.output}: {len(background)} background and {len(foreground)} foreground centroids in "
                f"{found.images} images, debiasing needs both; look the label folder over with `mars check`"
            )
        distances = background_distance(foreground.vectors, background.vectors, self.distance, self.nearest_count)
        return CandidateTable(
            foreground=foreground,
            background=background,
            distances=distances,
            selected=select(foreground, distances, self.alpha),
            iou=found.iou[~is_background],
            empty=found.empty,
            class_names=tuple(class_names),
            settings={"alpha": self.alpha, "distance": self.distance, "split": split, "images": found.images},
        )
