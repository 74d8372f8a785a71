"""Scores of a WSSS method as files, and the confident labels that a propagation network learns from (predict job)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.callbacks import Callback

from callbacks.output_folder import output_folder, refinement_name, write_about
from callbacks.worker_pool import WorkerPool, worker_count
from datamodules.files.labels import as_label, label_codes, write_label
from datamodules.files.scores import write_scores
from mars_pl.wsss.propagation.confident_label import UNSURE, ConfidentLabels

CONFIDENT = "confident"
"""Sub-folder of the confident labels."""


def make_score_files(
    name: str,
    image: NDArray[np.uint8],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int64],
    folder: Path,
    confident: ConfidentLabels | None,
    num_classes: int,
) -> None:
    """Write one image's scores, and its confident label where one is wanted. Runs in a worker."""
    write_scores(folder / f"{name}.npz", class_ids, scores)
    if confident is not None:
        # drawn with the image's own numbers 1, 2, …, among which UNSURE is no class however many the data has
        own = torch.arange(1, len(class_ids) + 1)
        label = confident(torch.from_numpy(image), torch.from_numpy(scores), own).numpy()
        code_of = np.zeros(UNSURE + 1, dtype=np.int64)
        code_of[1 : len(class_ids) + 1] = class_ids
        code_of[UNSURE] = label_codes(num_classes).ignored
        write_label(folder / CONFIDENT / f"{name}.png", as_label(code_of[label], num_classes))


class ScoreWriter(Callback):
    """Keeps what a score module predicts: `<id>.npz`, and `confident/<id>.png` beside them.

    Args:
        confident: draws the confident labels; None writes scores only.
        workers: processes for refinement and writing, null for one a core; 0 works in this one.
        output: folder of the scores, relative to the run's ``default_root_dir``.
    """

    def __init__(self, confident: ConfidentLabels | None = None, workers: int | None = None, output: str = ".") -> None:
        self.confident, self.workers, self.output = confident, workers, output

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Make the folders and start the workers."""
        self.folder = output_folder(trainer, self.output)
        if self.confident is not None:
            output_folder(trainer, str(Path(self.output, CONFIDENT)))
        self.workers = worker_count(self.workers, trainer)
        self.pool: WorkerPool[None] = WorkerPool(self.workers)

    def on_predict_batch_end(  # noqa: D102 - Lightning's hook
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self.pool.submit(
            make_score_files,
            outputs["id"],
            batch["image"][0].cpu().numpy(),
            outputs["scores"].float().cpu().numpy(),
            outputs["class_ids"].cpu().numpy(),
            self.folder,
            self.confident,
            trainer.datamodule.num_classes,  # type: ignore[attr-defined]
        )
        for _ in self.pool.results():
            pass

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Wait for the last image; then say beside the confident labels how they were made."""
        self.pool.close()
        if trainer.is_global_zero and self.confident is not None:
            unsure = label_codes(trainer.datamodule.num_classes).ignored  # type: ignore[attr-defined]
            note = f"confident labels by {type(self.confident).__name__}; {unsure} is unsure"
            write_about(self.folder / CONFIDENT, refinement=refinement_name(self.confident.refine), note=note)
