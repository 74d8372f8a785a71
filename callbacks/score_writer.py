"""Scores of a WSSS method as files, and the confident labels that a propagation network learns from (predict job)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from callbacks.writing.image_writer import ImageWriter
from callbacks.writing.journal import AllDone
from callbacks.writing.output_folder import refinement_name, write_about
from callbacks.writing.score_files import CONFIDENT, make_score_files
from datamodules.files.labels import label_codes
from mars_pl.wsss.propagation.confident_label import ConfidentLabels


class ScoreWriter(ImageWriter[None]):
    """Keeps what a score module predicts: `<id>.npz`, and `confident/<id>.png` beside them.

    Where maps compete for the label, `confident/<id>.npz` holds them: with the strong background, then with the weak.

    Args:
        confident: draws the confident labels; None writes scores only.
        options: output, workers, resume and shards; see ``ImageWriter``.
    """

    def __init__(self, confident: ConfidentLabels | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.confident = confident

    def image_files(self) -> Sequence[str]:
        """Return scores, confident label and what that was drawn from."""
        return ["{id}.npz", *([f"{CONFIDENT}/{{id}}.png", f"{CONFIDENT}/{{id}}.npz"] if self.confident else [])]

    def image_call(self, prediction: Any, batch: dict[str, Any], place: int) -> partial[None]:
        """Write the scores of one image."""
        return partial(
            make_score_files,
            prediction["id"],
            batch["image"][0].cpu().numpy(),
            prediction["scores"].float().cpu().numpy(),
            prediction["class_ids"].cpu().numpy(),
            self.folder,
            self.confident,
            self.data.num_classes,
        )

    def write_end(self, done: AllDone[None], pl_module: Any) -> None:
        """Say beside the confident labels how they were made."""
        if self.confident is not None:
            unsure = label_codes(self.data.num_classes).ignored
            note = f"confident labels by {type(self.confident).__name__}; {unsure} is unsure"
            write_about(self.folder / CONFIDENT, refinement=refinement_name(self.confident.refine), note=note)
