"""Write the neighbours of every crop, and its tokens where asked for, at the end of a predict job."""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import BasePredictionWriter
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from callbacks.output_folder import output_folder
from datamodules.errors import DataError
from mars_pl.uss.stego.neighbours import nearest_neighbours
from mars_pl.uss.stego.token_module import TokenPrediction

NEIGHBOURS = "neighbours.safetensors"
TOKENS = "tokens.npy"


class NeighbourWriter(BasePredictionWriter):
    """Collect what ``TokenModule`` predicts over all processes.

    ``neighbours.safetensors`` holds ``neighbours``, int64 (N, k), column 0 the crop itself, and in its metadata
    ``ids``, a JSON list. ``tokens.npy`` holds float16 (N, D, h, w), to be read as a memory map. Row i is item i of the
    predict data set in both, however many processes there were.

    Args:
        k: neighbours of each crop, itself counted (30 in STEGO; fewer where there are fewer crops).
        tokens: write the tokens too.
        output: folder, relative to the run's ``default_root_dir``.
    """

    def __init__(self, k: int = 30, tokens: bool = False, output: str = ".") -> None:
        super().__init__("batch")
        self.folder = Path(output)
        self.k = k
        self.tokens = tokens
        self._rows: list[int] = []
        self._ids: list[str] = []
        self._pooled: list[Tensor] = []
        self._store: _TokenStore | None = None

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Clear away what an earlier, broken run left."""
        self._rows, self._ids, self._pooled, self._store = [], [], [], None
        self.folder = output_folder(trainer, str(self.folder))
        if trainer.is_global_zero:
            for stale in (self.folder / NEIGHBOURS, self.folder / TOKENS, *self.folder.glob(_part("*"))):
                stale.unlink(missing_ok=True)
        trainer.strategy.barrier("neighbours: folder is empty")

    def write_on_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        prediction: TokenPrediction,
        batch_indices: Sequence[int] | None,
        batch: dict[str, Any],
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Keep the vectors; write the tokens where they belong.

        Raises:
            DataError: where crops differ in size, or the sampler does not say which items it took.
        """
        ids = prediction["id"]
        if not batch_indices or len(batch_indices) != len(ids):
            raise DataError(
                f"{self.folder}: the predict sampler does not tell its rows; use a DataLoader with a plain sampler"
            )
        self._rows += batch_indices
        self._ids += ids
        self._pooled.append(prediction["pooled"].float().cpu())
        if self.tokens:
            values = prediction["tokens"].half().cpu().numpy()
            if self._store is None:
                self._store = _TokenStore(self.folder / TOKENS, (_dataset_length(trainer), *values.shape[1:]))
            self._store.write(batch_indices, values)

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Bring the processes' parts together in the order of the data and look for neighbours."""
        if self._store is not None:
            self._store.close()
        if self._rows:
            part = {"rows": torch.tensor(self._rows), "pooled": torch.cat(self._pooled)}
            save_file(part, self.folder / _part(trainer.global_rank), {"ids": json.dumps(self._ids)})
        trainer.strategy.barrier("neighbours: parts are written")
        if trainer.is_global_zero:
            self._merge(_dataset_length(trainer), pl_module.device)

    def _merge(self, total: int, device: torch.device) -> None:
        ids: list[str | None] = [None] * total
        pooled: Tensor | None = None
        parts = sorted(self.folder.glob(_part("*")))
        for path in parts:
            with safe_open(path, framework="pt") as part:
                rows, vectors = part.get_tensor("rows"), part.get_tensor("pooled")
                names = json.loads(part.metadata()["ids"])
            if pooled is None:
                pooled = vectors.new_zeros(total, vectors.shape[1])
            pooled[rows] = vectors
            for row, name in zip(rows.tolist(), names, strict=True):
                ids[row] = name
        if pooled is None or None in ids:
            raise DataError(
                f"{self.folder}: {ids.count(None)} of {total} crops were not predicted; predict all of them"
            )
        found = nearest_neighbours(pooled.to(device), self.k)
        save_file({"neighbours": found}, self.folder / NEIGHBOURS, {"ids": json.dumps(ids)})
        for path in parts:
            path.unlink()


class _TokenStore:
    """One float16 ``.npy`` that several processes fill, each its own rows.

    All of them write the same header and the same length, so none has to wait for another; rows go out by position and
    not through a map, whose pages would carry a neighbour's rows along on network file systems.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._path = path
        self._row_shape = shape[1:]
        self._row_bytes = 2 * math.prod(self._row_shape)
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f2", "fortran_order": False, "shape": shape})
        self._start = header.tell()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
        os.pwrite(self._file, header.getvalue(), 0)
        os.ftruncate(self._file, self._start + shape[0] * self._row_bytes)

    def write(self, rows: Sequence[int], values: np.ndarray[Any, np.dtype[np.float16]]) -> None:
        if values.shape[1:] != self._row_shape:
            raise DataError(
                f"{self._path}: tokens of {values.shape[1:]} after {self._row_shape}; give all crops one size"
            )
        for row, value in zip(rows, values, strict=True):
            os.pwrite(self._file, value.astype("<f2").tobytes(), self._start + row * self._row_bytes)

    def close(self) -> None:
        os.close(self._file)


def _part(rank: int | str) -> str:
    return f"neighbours-{rank}.part.safetensors"


def _dataset_length(trainer: pl.Trainer) -> int:
    loaders = trainer.predict_dataloaders
    loader = loaders[0] if isinstance(loaders, list) else loaders
    return len(loader.dataset)  # type: ignore[union-attr]
