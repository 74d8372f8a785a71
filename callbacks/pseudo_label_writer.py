"""Pseudo labels Yᵇ as files, and the sweep of their background score (predict job of a WSSS method)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from callbacks.writing.background_sweep import print_sweep, sweep_rows
from callbacks.writing.image_writer import ImageWriter
from callbacks.writing.journal import AllDone
from callbacks.writing.output_folder import refinement_name, write_about
from callbacks.writing.pseudo_labels import SweepCounts, make_labels
from datamodules.files.whole_file import whole_file
from mars_pl.refine.protocol import Refine

SWEEP = "sweep.json"


class PseudoLabelWriter(ImageWriter[SweepCounts | None]):
    """Turns predicted scores into label files at one or more background scores.

    Where the data has truth, the sweep over ``sweep`` is printed and written; nothing is chosen by it.

    Args:
        background_scores: sub-folder to the background score of the labels in it; ``mars`` is where MARS starts,
            ``baseline`` what the baseline is trained on.
        sweep: scores that are counted against the truth; the figures go to ``sweep.json``.
        sweep_images: only the first so many images are swept, since each score costs a refinement; null for all.
        split: name of the images that have truth, printed beside every figure.
        refine: applied to each label; ``None`` writes the argmax.
        options: output, workers, resume and shards; see ``ImageWriter``.
    """

    def __init__(
        self,
        background_scores: dict[str, float],
        sweep: Sequence[float] = (),
        sweep_images: int | None = None,
        split: str = "train",
        refine: Refine | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.background_scores, self.swept = dict(background_scores), tuple(dict.fromkeys(sweep))
        self.sweep_images, self.split, self.refine = sweep_images, split, refine

    def image_files(self) -> Sequence[str]:
        """Return the label in each folder."""
        return [f"{name}/{{id}}.png" for name in self.background_scores]

    def image_call(self, prediction: Any, batch: dict[str, Any], place: int) -> partial[SweepCounts | None]:
        """Make the labels of one image, and count them where it is swept."""
        swept = "truth" in batch and (self.sweep_images is None or place < self.sweep_images)
        return partial(
            make_labels,
            prediction["id"],
            batch["image"][0].cpu().numpy(),
            prediction["scores"].cpu().numpy(),
            prediction["class_ids"].cpu().numpy(),
            batch["truth"][0].cpu().numpy() if swept else None,
            {self.folder / name: score for name, score in self.background_scores.items()},
            self.swept,
            self.refine,
            self.data.num_classes,
        )

    def write_end(self, done: AllDone[SweepCounts | None], pl_module: Any) -> None:
        """Say how the labels were made; print and write the sweep."""
        refinement = refinement_name(self.refine)
        for name, score in self.background_scores.items():
            write_about(self.folder / name, refinement=refinement, note=f"background score {score}")
        counts, images = np.zeros((len(self.swept), 3, self.data.num_classes), dtype=np.int64), 0
        for one in done if self.swept else ():
            if one.result is not None:
                counts += one.result
                images += 1
        if not images:
            return
        rows = sweep_rows(self.swept, counts, self.data.scored_class_ids)
        print_sweep(rows, self.split, images, refinement)
        summary = {"split": self.split, "images": images, "refinement": refinement}
        summary |= {"background_scores": self.background_scores, "scores": rows}
        with whole_file(self.folder / SWEEP) as path:
            path.write_text(json.dumps(summary, indent=1))
