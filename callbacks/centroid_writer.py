"""Bring the centroids of all images together, select the debiased ones and write both down (paper §3.2, Eq. 1–3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any

import pytorch_lightning as pl

from callbacks.writing.candidates.found import ImageFound, found_in_image
from callbacks.writing.candidates.merged import MergedParts
from callbacks.writing.candidates.parts import CandidateJournal, ids_in_parts, pack_rest, parts, remove_parts
from callbacks.writing.candidates.selecting import TableSelection
from callbacks.writing.image_writer import ImageWriter
from callbacks.writing.stored_features import StoredFeatures
from datamodules.errors import DataError
from mars_pl.debias.centroids import share
from mars_pl.debias.defaults import ALPHA, DISTANCE, NEAREST_COUNT, Distance
from mars_pl.debias.image_candidates import ImageCandidates
from mars_pl.debias.kinds.two_kinds import TwoKinds


class CentroidWriter(ImageWriter[ImageFound]):
    """Collect what ``CentroidModule`` predicts over all processes and write the three files of ``TableSelection``.

    Where a batch has ``truth``, the IoU of each candidate's region is written beside it; the selection never reads it.

    Args:
        alpha: share of each class's candidates that make its debiased centroid (paper: .40).
        distance: to all background centroids, their ``mean`` (Eq. 1), the ``minimum``, or the mean of the ``nearest``.
        nearest_count: how many, for ``nearest``.
        parting: selects among one of two kinds of candidates (ours), see ``TwoKinds``; None selects as the paper does.
        features: folder within ``output`` for every image's features, float16 `<id>.npy`, which spare the labels' job
            the network; None stores none.
        options: output, resume and shards; see ``ImageWriter``.

    Raises:
        ValueError: where α is not in (0, 1].
    """

    def __init__(
        self,
        alpha: float = ALPHA,
        distance: Distance = DISTANCE,
        nearest_count: int = NEAREST_COUNT,
        features: str | None = None,
        parting: TwoKinds | None = None,
        **options: Any,
    ) -> None:
        super().__init__(workers=0, **options)
        share(1, alpha)  # a wrong α must not wait for the last image
        self.alpha, self.distance, self.nearest_count, self.features = alpha, distance, nearest_count, features
        self.parting = parting

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the journal, and the features' folder where they are stored."""
        super().on_predict_start(trainer, pl_module)
        self._stored = None
        if self.features is not None:
            images = sum(int(batches) for batches in trainer.num_predict_batches) * trainer.world_size
            self._stored = StoredFeatures(self.folder / self.features, images)

    def image_files(self) -> Sequence[str]:
        """Return the features, where they are stored."""
        return [] if self.features is None else [f"{self.features}/{{id}}.npy"]

    def image_call(self, prediction: ImageCandidates, batch: dict[str, Any], place: int) -> partial[ImageFound]:
        """Keep the candidates of one image, and measure their regions where there is truth."""
        if self._stored is not None:  # before the journal says that the image is done
            self._stored.write(batch["id"][0], prediction.features)
        truth = batch["truth"][0].cpu() if "truth" in batch else None
        return partial(found_in_image, prediction, batch["label"][0].cpu(), truth, self.data.ignore_index)

    def open_journal(self, rank: int) -> CandidateJournal:
        """Open a journal that packs the candidates of many images into a file."""
        return CandidateJournal(self.folder, rank)

    def done_ids(self) -> Iterable[str]:
        """Return the images whose candidates an earlier job has found."""
        return chain(ids_in_parts(self.folder), super().done_ids())

    def forget(self) -> None:
        """Remove all candidates but those of the table."""
        super().forget()
        remove_parts(self.folder)

    def gathered(self) -> MergedParts:
        """Return the candidates of all images."""
        pack_rest(self.folder)
        return MergedParts(parts(self.folder))

    def write_end(self, done: MergedParts, pl_module: Any) -> None:
        """Select, write and print."""
        settings = {"alpha": self.alpha, "distance": self.distance, "split": self.data.predict_split}
        names = tuple(self.data.class_names)
        try:
            found = TableSelection(done, names, settings, self.alpha, self.distance, self.nearest_count, self.parting)
        except ValueError as error:
            raise DataError(
                f"{self.folder}: in {len(done)} images {error}; look the label folder over with `mars check`"
            ) from None
        found.write(self.folder).print()
