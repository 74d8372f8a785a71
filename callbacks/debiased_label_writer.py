"""Write the debiased labels Yᵈᵇ, and how much of each class they take away (paper §3.3, Eq. 5)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from lightning_utilities.core.rank_zero import rank_zero_warn
from pytorch_lightning.callbacks import BasePredictionWriter
from rich.console import Console
from rich.table import Table

from callbacks.debiased_label import Counts, make_debiased_label
from callbacks.gather import gather_objects
from callbacks.output_folder import output_folder, refinement_name, write_about
from callbacks.worker_pool import WorkerPool, worker_count
from datamodules.files.whole_file import whole_file
from mars_pl.debias.debias_module import DebiasedMap
from mars_pl.refine.protocol import Refine

REMOVED = "removed.json"
MUCH_REMOVED = 0.6
"""Share of a class's pixels above which more than a companion has probably gone."""


class DebiasedLabelWriter(BasePredictionWriter):
    """Refine what ``DebiasModule`` predicts, write one label an image, and ``removed.json`` beside them.

    Args:
        refine: dense CRF or PAMR; None cuts the map where (1 − M)^γ = M.
        exponent: γ, of the background in the refinement.
        workers: processes for refinement and writing, null for one a core; 0 works in this process, on the trainer's
            device (PAMR on a GPU).
        similarity: folder within ``output`` for the first maps as grey PNG, 0 to 255 for 0 to 1; None writes none.
        similarity_count: how many, in the order of the data's list.
        output: folder of the labels, relative to the run's ``default_root_dir``.
    """

    def __init__(
        self,
        refine: Refine | None = None,
        exponent: float = 2.0,
        workers: int | None = None,
        similarity: str | None = "similarity",
        similarity_count: int = 24,
        output: str = ".",
    ) -> None:
        super().__init__("batch")
        self.output = Path(output)
        self.refine, self.exponent, self.workers = refine, exponent, workers
        self.similarity: Path | None = None
        self.similarity_folder = similarity
        self.similarity_count = similarity_count

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Make the folders and start the workers."""
        self.output = output_folder(trainer, str(self.output))
        if self.similarity_folder is not None:
            self.similarity = output_folder(trainer, str(self.output / self.similarity_folder))
        self.workers = worker_count(self.workers, trainer)
        self._pool: WorkerPool[Counts] = WorkerPool(self.workers)
        self._counts = np.zeros((2, trainer.datamodule.num_classes), dtype=np.int64)  # type: ignore[attr-defined]
        self._images = 0

    def write_on_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        prediction: DebiasedMap,
        batch_indices: Sequence[int] | None,
        batch: dict[str, Any],
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Hand one image to the workers."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        # Lightning deals predict items out in turn where it does not tell their places in the list.
        place = batch_indices[0] if batch_indices else batch_idx * trainer.world_size + trainer.global_rank
        shown = self.similarity is not None and place < self.similarity_count
        self._pool.submit(
            make_debiased_label,
            self.output / f"{prediction.id}.png",
            self.similarity / f"{prediction.id}.png" if self.similarity is not None and shown else None,
            batch["image"][0].cpu().numpy(),
            batch["label"][0].cpu().numpy(),
            prediction.similarity.float().cpu().numpy(),
            self.refine,
            self.exponent,
            data.num_classes,
            data.biased_index,
            data.ignore_index,
            str(pl_module.device) if self.workers == 0 else "cpu",
        )
        self._take_in()

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Wait for the last label; then, in the first process, write and print what was removed."""
        self._pool.close()
        self._take_in()
        parts = gather_objects((self._counts, self._images))
        if trainer.is_global_zero:
            counts = sum((count for count, _ in parts), np.zeros_like(self._counts))
            data = trainer.datamodule  # type: ignore[attr-defined]
            summary = removed_summary(counts, data.class_names)
            summary |= {"split": data.predict_split, "images": sum(images for _, images in parts)}
            summary["refinement"] = refinement_name(self.refine)
            with whole_file(self.output / REMOVED) as path:
                path.write_text(json.dumps(summary, indent=1) + "\n")
            write_about(self.output, refinement=summary["refinement"])
            print_removed(summary)

    def _take_in(self) -> None:
        for counts in self._pool.results():
            self._counts += counts
            self._images += 1


def removed_summary(counts: Counts, class_names: Sequence[str]) -> dict[str, Any]:
    """Return for all classes and for each the pixels before, those removed and their share, None of nothing."""
    before, removed = ([int(row[1:].sum()), *row[1:].tolist()] for row in counts)
    names = ["all", *class_names[1:]]
    return {
        "removed": {name: gone / had if had else None for name, had, gone in zip(names, before, removed, strict=True)},
        "pixels": dict(zip(names, before, strict=True)),
        "pixels_removed": dict(zip(names, removed, strict=True)),
    }


def print_removed(summary: dict[str, Any]) -> None:
    """Print a row a class that has pixels, and warn of those that lose more than ``MUCH_REMOVED``."""
    table = Table(title="Removed as biased ({split}, {images} images, refinement {refinement})".format(**summary))
    table.add_column("class")
    table.add_column("pixels", justify="right")
    table.add_column("removed", justify="right")
    shares = {name: share for name, share in summary["removed"].items() if share is not None}
    for name, share in shares.items():
        style = "bold red" if share > MUCH_REMOVED else None
        table.add_row(name, f"{summary['pixels'][name]:,}", f"{share:.1%}", style=style)
    Console().print(table)
    emptied = [f"{name} {share:.0%}" for name, share in shares.items() if share > MUCH_REMOVED and name != "all"]
    if emptied:
        rank_zero_warn(
            f"more than {MUCH_REMOVED:.0%} removed of {', '.join(emptied)}: look at the similarity maps; "
            "a larger exponent or normalise may suit these features"
        )
