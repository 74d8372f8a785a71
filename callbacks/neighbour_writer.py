"""Write the neighbours of every crop, and its tokens where asked for, at the end of a predict job."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from callbacks.writing.image_writer import ImageWriter, item_count
from callbacks.writing.journal import AllDone
from callbacks.writing.token_store import TokenStore, unfinished
from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from mars_pl.uss.stego.neighbours import nearest_neighbours
from mars_pl.uss.stego.token_module import TokenPrediction

NEIGHBOURS = "neighbours.safetensors"
TOKENS = "tokens.npy"

Vector = NDArray[np.float32]
"""(D,), of unit length."""

Tokens = NDArray[np.float16]
"""(D, h, w)."""


class NeighbourWriter(ImageWriter[Vector]):
    """Collect what ``TokenModule`` predicts over all processes.

    ``neighbours.safetensors`` holds ``neighbours``, int64 (N, k), column 0 the crop itself, and in its metadata
    ``ids``, a JSON list. ``tokens.npy`` holds float16 (N, D, h, w), to be read as a memory map. Row i is item i of the
    predict data set in both, however many processes there were.

    A job that goes on makes other batches of the crops than one that was never broken off; where a backbone's last bits
    depend on the batch, so do the tokens'.

    Args:
        k: neighbours of each crop, itself counted (30 in STEGO; fewer where there are fewer crops).
        tokens: write the tokens too.
        options: output and resume; see ``ImageWriter``.
    """

    def __init__(self, k: int = 30, tokens: bool = False, **options: Any) -> None:
        super().__init__(workers=0, **options)
        self.k, self.tokens = k, tokens
        self._store: TokenStore | None = None

    def can_go_on(self) -> bool:
        """Tell whether the tokens of the crops that are done are there."""
        return not self.tokens or unfinished(self.folder / TOKENS).is_file()

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count the crops."""
        super().on_predict_start(trainer, pl_module)
        self._total = item_count(trainer)
        self._store = TokenStore(self.folder / TOKENS, self._total) if self.tokens else None

    def predictions(self, prediction: TokenPrediction) -> Iterable[tuple[Vector, Tokens | None]]:
        """Take a batch apart: the vector of each crop, and its tokens where they are kept."""
        vectors = prediction["pooled"].float().cpu().numpy()
        tokens = prediction["tokens"].half().cpu().numpy() if self.tokens else [None] * len(vectors)
        return zip(vectors, tokens, strict=True)

    def image_call(self, prediction: tuple[Vector, Tokens | None], batch: Any, place: int) -> partial[Vector]:
        """Write the tokens of one crop where they belong, and keep its vector."""
        return partial(_keep, *prediction, self._store, place)

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Close the tokens before the first process gives them their name."""
        if self._store is not None:
            self._store.close()
        super().on_predict_end(trainer, pl_module)

    def write_end(self, done: AllDone[Vector], pl_module: Any) -> None:
        """Look for neighbours among all crops.

        Raises:
            DataError: where crops were not predicted.
        """
        if [one.place for one in done] != list(range(self._total)):
            missing = self._total - len(done)
            raise DataError(f"{self.folder}: {missing} of {self._total} crops were not predicted; predict all of them")
        pooled = torch.from_numpy(np.stack([one.result for one in done]))
        found = nearest_neighbours(pooled.to(pl_module.device), self.k)
        with whole_file(self.folder / NEIGHBOURS) as path:
            save_file({"neighbours": found}, path, {"ids": json.dumps([one.id for one in done])})
        if self._store is not None:
            self._store.finish()


def _keep(vector: Vector, tokens: Tokens | None, store: TokenStore | None, row: int) -> Vector:
    if store is not None and tokens is not None:
        store.write(row, tokens)
    return vector
