"""Take cells of all images, teach the probe by them at the end of a predict job, and write it (ours)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_utilities.core.rank_zero import rank_zero_info, rank_zero_warn
from safetensors.torch import save_file

from callbacks.writing.image_writer import ImageWriter, item_count
from callbacks.writing.journal import AllDone
from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from mars_pl.debias.probe.cells import Cells, cells_of, together
from mars_pl.debias.probe.probe import FITS, PENALTY, teach
from mars_pl.debias.probe.probe_module import ImageTokens

PROBE = "probe.safetensors"
ABOUT = "probe.json"

LEAST_KEPT = 0.75
"""Share of Eq. 5's cells below which a probe is warned of: photographs kept 93 % and gained, Scenes 55 % and lost."""


class ProbeWriter(ImageWriter[list[Any]]):
    """Collect cells of what ``TokensModule`` predicts over all processes, and write the probe that they teach.

    ``probe.safetensors`` holds ``weight`` (D,) and ``bias`` (1,); ``probe.json`` what share of the cells in Yᵇ's
    objects is one by Eq. 5, and by each fit.

    Args:
        cells: of all images together, some of each: so that memory and the journals stay small whatever the data.
        most: of one image.
        fits: see ``teach``.
        penalty: likewise.
        options: output and resume; see ``ImageWriter``.

    Raises:
        ValueError: where one of them is none.
    """

    def __init__(
        self, cells: int = 100_000, most: int = 200, fits: int = FITS, penalty: float = PENALTY, **options: Any
    ) -> None:
        super().__init__(workers=0, **options)
        if min(cells, most, fits) < 1 or penalty <= 0:
            raise ValueError(f"cells {cells}, most {most}, fits {fits}, penalty {penalty}: all have to be above 0")
        self.cells, self.most, self.fits, self.penalty = cells, most, fits, penalty

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say how many cells each image gives."""
        super().on_predict_start(trainer, pl_module)
        self._each = max(1, min(self.most, self.cells // item_count(trainer)))

    def image_call(self, prediction: ImageTokens, batch: dict[str, Any], place: int) -> partial[list[Any]]:
        """Keep some cells of one image."""
        return partial(_keep, prediction, batch["label"][0], self._each, self.data.ignore_index, self.data.biased_index)

    def write_end(self, done: AllDone[list[Any]], pl_module: Any) -> None:
        """Teach the probe, write and tell it.

        Raises:
            DataError: where the labels have no object left, or no background.
        """
        try:
            taught = teach(together(list(_cells(done))), self.fits, self.penalty)
        except ValueError as error:
            raise DataError(f"{self.folder}: in {len(done)} images {error}; look the label folder over") from None
        with whole_file(self.folder / PROBE) as path:
            save_file({"weight": taught.probe.weight.contiguous(), "bias": taught.probe.bias.contiguous()}, path)
        about = {"images": len(done), "cells_of_an_image": self._each, "kept": list(taught.kept)}
        with whole_file(self.folder / ABOUT) as path:
            path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        shares = ", ".join(f"{share:.3f}" for share in taught.kept)
        rank_zero_info(f"probe: {shares} of the cells in Yᵇ's objects are objects, by Eq. 5 and by each fit")
        if taught.kept[-1] < LEAST_KEPT * taught.kept[0]:
            rank_zero_warn(
                f"probe: of what Eq. 5 keeps only {taught.kept[-1] / taught.kept[0]:.0%} is left: these tokens hardly "
                "part objects from the rest; take debias=labels, or a stronger backbone="
            )


def _keep(prediction: ImageTokens, label: torch.Tensor, most: int, ignored: int, biased: int) -> list[Any]:
    cells = cells_of(prediction.tokens, label.cpu(), most, ignore_index=ignored, biased_index=biased)
    return [cells.tokens.numpy().astype(np.float16), cells.kinds.numpy().astype(np.int8)]


def _cells(done: AllDone[list[Any]]) -> Iterator[Cells]:
    for one in done:
        tokens, kinds = one.result
        yield Cells(torch.from_numpy(tokens), torch.from_numpy(kinds))
