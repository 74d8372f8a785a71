"""Write the debiased labels Yᵈᵇ, and how much of each class they take away (paper §3.3, Eq. 5)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from callbacks.writing.debiased_label import Counts, make_debiased_label
from callbacks.writing.image_writer import ImageWriter
from callbacks.writing.journal import AllDone
from callbacks.writing.output_folder import refinement_name, write_about
from callbacks.writing.removed import print_removed, removed_summary
from datamodules.files.whole_file import whole_file
from mars_pl.debias.debias_module import DebiasedMap
from mars_pl.debias.defaults import EXPONENT
from mars_pl.refine.protocol import Refine

REMOVED = "removed.json"


class DebiasedLabelWriter(ImageWriter[Counts]):
    """Refine what ``DebiasModule`` predicts, write one label an image, and ``removed.json`` beside them.

    Args:
        refine: dense CRF or PAMR; None cuts the map where (1 − M)^γ = M.
        exponent: γ, of the background in the refinement.
        similarity: folder within ``output`` for the first maps as grey PNG, 0 to 255 for 0 to 1; None writes none.
        similarity_count: how many, in the order of the data's list.
        options: output, workers, resume and shards; see ``ImageWriter``.
    """

    def __init__(
        self,
        refine: Refine | None = None,
        exponent: float = EXPONENT,
        similarity: str | None = "similarity",
        similarity_count: int = 24,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.refine, self.exponent = refine, exponent
        self.similarity, self.similarity_count = similarity, similarity_count

    def image_files(self) -> Sequence[str]:
        """Return the label; maps of the first images stay files."""
        return ["{id}.png"]

    def image_call(self, prediction: DebiasedMap, batch: dict[str, Any], place: int) -> partial[Counts]:
        """Make the label of one image."""
        name = f"{prediction.id}.png"
        shown = self.similarity is not None and place < self.similarity_count
        return partial(
            make_debiased_label,
            self.folder / name,
            self.folder / self.similarity / name if self.similarity is not None and shown else None,
            batch["image"][0].cpu().numpy(),
            batch["label"][0].cpu().numpy(),
            prediction.similarity.float().cpu().numpy(),
            self.refine,
            self.exponent,
            self.data.num_classes,
            self.data.biased_index,
            self.data.ignore_index,
            str(prediction.similarity.device) if self.workers == 0 else "cpu",
            prediction.whole,
        )

    def write_end(self, done: AllDone[Counts], pl_module: Any) -> None:
        """Write and print what was removed."""
        counts = np.zeros((2, self.data.num_classes), dtype=np.int64)
        for one in done:
            counts[:, one.result[0]] += one.result[1:]
        summary = removed_summary(counts, self.data.class_names)
        summary |= {"split": self.data.predict_split, "images": len(done)}
        summary["refinement"] = refinement_name(self.refine)
        with whole_file(self.folder / REMOVED) as path:
            path.write_text(json.dumps(summary, indent=1) + "\n")
        write_about(self.folder, refinement=summary["refinement"])
        print_removed(summary)
