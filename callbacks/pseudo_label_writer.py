"""Pseudo labels Yᵇ as files, and the sweep of their background score (predict job of a WSSS method)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.callbacks import Callback
from rich.console import Console
from rich.table import Table

from callbacks.gather import gather_objects
from callbacks.output_folder import output_folder, refinement_name, write_about
from callbacks.worker_pool import WorkerPool, worker_count
from datamodules.files.labels import as_label, label_codes, write_label
from mars_pl.metrics.confusion import confusion_matrix
from mars_pl.metrics.scores import Scores
from mars_pl.refine.protocol import Refine
from mars_pl.wsss.pseudo_label import pseudo_label

Confusions = dict[float, NDArray[np.int64]]


def make_labels(
    name: str,
    image: NDArray[np.uint8],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int64],
    truth: NDArray[np.int64] | None,
    folders: Mapping[Path, float],
    swept: Sequence[float],
    refine: Refine | None,
    num_classes: int,
) -> Confusions:
    """Write one image's label into each folder at its score, count those of ``swept``. Runs in a worker."""
    confusions: Confusions = {}
    for score in sorted({*folders.values(), *(swept if truth is not None else ())}):
        label = pseudo_label(
            torch.from_numpy(image), torch.from_numpy(scores), torch.from_numpy(class_ids), score, refine
        ).numpy()
        for folder, folder_score in folders.items():
            if folder_score == score:
                write_label(folder / f"{name}.png", as_label(label, num_classes))
        if truth is not None and score in swept:
            confusions[score] = confusion_matrix(label, truth, num_classes, label_codes(num_classes).ignored)
    return confusions


class PseudoLabelWriter(Callback):
    """Turns predicted scores into label files at one or more background scores.

    Where the data has truth, the sweep over ``sweep`` is printed and written; nothing is chosen by it.

    Args:
        background_scores: sub-folder to the background score of the labels in it; ``mars`` is where MARS starts,
            ``baseline`` what the baseline is trained on.
        sweep: scores that are counted against the truth.
        sweep_images: only the first so many images are swept, since each score costs a refinement; null for all.
        split: name of the images that have truth, printed beside every figure.
        refine: applied to each label; ``None`` writes the argmax.
        workers: processes for refinement and writing, null for one a core.
        output: folder, relative to the run's ``default_root_dir``; the sweep goes to its ``sweep.json``.
    """

    def __init__(
        self,
        background_scores: dict[str, float],
        sweep: Sequence[float] = (),
        sweep_images: int | None = None,
        split: str = "train",
        refine: Refine | None = None,
        workers: int | None = None,
        output: str = ".",
    ) -> None:
        self.output = output
        self.background_scores, self.swept = dict(background_scores), tuple(sweep)
        self.sweep_images, self.split, self.refine, self.workers = sweep_images, split, refine, workers

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Make the folders and start the workers."""
        self.folders = {
            output_folder(trainer, str(Path(self.output, name))): score
            for name, score in self.background_scores.items()
        }
        self.workers = worker_count(self.workers, trainer)
        self.pool: WorkerPool[Confusions] = WorkerPool(self.workers)
        self.totals: Confusions = {}
        self.images = 0

    def on_predict_batch_end(  # noqa: D102 - Lightning's hook
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        place = batch_idx * trainer.world_size + trainer.global_rank
        swept = "truth" in batch and (self.sweep_images is None or place < self.sweep_images)
        truth = batch["truth"][0].cpu().numpy() if swept else None
        self.images += truth is not None
        self.pool.submit(
            make_labels,
            outputs["id"],
            batch["image"][0].cpu().numpy(),
            outputs["scores"].cpu().numpy(),
            outputs["class_ids"].cpu().numpy(),
            truth,
            self.folders,
            self.swept,
            self.refine,
            trainer.datamodule.num_classes,  # type: ignore[attr-defined]
        )
        self._count()

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Wait for the last label, then print and write the sweep."""
        self.pool.close()
        self._count()
        parts = gather_objects((self.totals, self.images))
        images = sum(count for _, count in parts)
        if trainer.is_global_zero:
            for folder, score in self.folders.items():
                write_about(folder, refinement=refinement_name(self.refine), note=f"background score {score}")
        if trainer.is_global_zero and images and self.swept:
            data = trainer.datamodule  # type: ignore[attr-defined]
            nothing = np.zeros((data.num_classes, data.num_classes), dtype=np.int64)
            totals = {score: sum((part[score] for part, _ in parts if score in part), nothing) for score in self.swept}
            over = data.scored_class_ids
            rows = [_sweep_row(score, Scores.from_confusion(total, over)) for score, total in totals.items()]
            _print_sweep(rows, self.split, images, refinement_name(self.refine))
            sweep = {"split": self.split, "images": images, "refinement": refinement_name(self.refine)}
            sweep |= {"background_scores": self.background_scores, "scores": rows}
            Path(trainer.default_root_dir, self.output, "sweep.json").write_text(json.dumps(sweep, indent=1))

    def _count(self) -> None:
        for confusions in self.pool.results():
            for score, confusion in confusions.items():
                self.totals[score] = self.totals.get(score, 0) + confusion


def _sweep_row(score: float, scores: Scores) -> dict[str, float]:
    return {"background": score, "miou": scores.miou, "fp": scores.fp, "fn": scores.fn}


def _print_sweep(rows: Sequence[dict[str, float]], split: str, images: int, refinement: str) -> None:
    console = Console()
    console.print(f"Background score on {split} ({images} images, refinement {refinement}); nothing is chosen by it")
    table = Table()
    for column in ("background", "mIoU %", "FP", "FN"):
        table.add_column(column, justify="right")
    best = max(rows, key=lambda row: row["miou"])
    for row in rows:
        mark = " ←" if row is best else ""
        table.add_row(
            f"{row['background']:.2f}", f"{100 * row['miou']:.1f}{mark}", f"{row['fp']:.3f}", f"{row['fn']:.3f}"
        )
    console.print(table)
