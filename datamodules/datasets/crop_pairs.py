"""STEGO's pairs: a crop and one that looks like it, from the neighbours and tokens that a predict job left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor

from datamodules.datasets.five_crops import FiveCrops
from datamodules.datasets.sample import Sample, Samples
from datamodules.datasets.samplers import epoch_and_index
from datamodules.datasets.seeding import generator
from datamodules.datasets.split_reader import SplitReader
from datamodules.datasets.training_set import TrainingSet
from datamodules.errors import DataError
from datamodules.unpickle.json_text import read_json_text
from datamodules.unpickle.npy_head import npy_head

NEAREST = 7
"""A positive is one of so many nearest neighbours (STEGO's num_neighbors)."""


class FiveCropPairs(TrainingSet):
    """Pairs of STEGO's five crops to fit on; each crop for itself, `batch_size` at a time, to predict.

    Args:
        crop_size: side of the crops, in pixels.
        neighbours: of the crops, as the neighbour job wrote them; a fit needs them.
        tokens: the backbone's, of the crops; with them a fit reads no image.
    """

    crop_size: int

    def __init__(self, crop_size: int = 224, neighbours: str | None = None, tokens: str | None = None) -> None:
        self.crop_size = crop_size
        self.neighbours = neighbours
        self.tokens = tokens

    def fit_set(self, reader: SplitReader, split: str, seed: int) -> Samples:
        """Return the pairs of a list.

        Raises:
            DataError: without neighbours, or where they or the tokens were made from other crops.
        """
        if self.neighbours is None:
            raise DataError("data.training_set.neighbours: a fit needs them; make them with a predict job first")
        tokens = None if self.tokens is None else Path(self.tokens)
        return CropPairs(self._crops(reader, split), Path(self.neighbours), tokens, seed)

    def predict_set(self, reader: SplitReader, split: str, batch_size: int) -> tuple[Samples, int]:
        """Return the crops of a list, which are of one size; raises DataError as `SplitReader` does."""
        return self._crops(reader, split), batch_size

    def _crops(self, reader: SplitReader, split: str) -> FiveCrops:
        return FiveCrops(reader.tree, reader.image_ids(split), self.crop_size)


class CropPairs(Samples):
    """A crop and one of its nearest neighbours, as images or, where they were stored, as backbone tokens.

    The key is (epoch, index); the neighbour is drawn evenly by (seed, epoch, index).

    Args:
        crops: the crops; row i of both files belongs to its item i.
        neighbours: safetensors with `neighbours`, int64 (N, k), column 0 the crop itself.
        tokens: `.npy` of float16 (N, D, h, w), read as a memory map; with it no image is read.
        seed: of the choice.

    Raises:
        DataError: where a file is missing, damaged, or made from other crops.
    """

    def __init__(self, crops: FiveCrops, neighbours: Path, tokens: Path | None = None, seed: int = 0) -> None:
        self.crops = crops
        self.ids = crops.ids
        self.neighbours = _read_neighbours(neighbours, self.ids)[:, 1 : NEAREST + 1]
        self.tokens = tokens
        self.seed = seed
        self._map: NDArray[np.float16] | None = None
        if tokens is not None:
            _open_tokens(tokens, len(crops))  # what is wrong shows before the fit begins, not in a worker

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        """Read crop `index` and the neighbour that `epoch` gives it."""
        epoch, index = epoch_and_index(key)
        choice = torch.randint(self.neighbours.shape[1], (), generator=generator(self.seed, epoch, index))
        neighbour = int(self.neighbours[index, int(choice)])
        if self.tokens is not None:
            return {"id": self.ids[index], "tokens": self._token(index), "positive_tokens": self._token(neighbour)}
        sample = self.crops[index]
        sample["positive_image"] = self.crops[neighbour]["image"]
        return sample

    def _token(self, row: int) -> Tensor:
        if self._map is None and self.tokens is not None:  # each worker opens its own map
            self._map = _open_tokens(self.tokens, len(self.crops))
        assert self._map is not None
        tokens = self._map[row].copy()
        if not np.isfinite(tokens).all():
            raise DataError(f"{self.tokens}: row {row} is not finite; make the tokens again")
        return torch.from_numpy(tokens)


def _read_neighbours(path: Path, ids: Sequence[str]) -> Tensor:
    try:
        with safe_open(path, framework="pt") as file:
            neighbours: Tensor = file.get_tensor("neighbours")
            stored = read_json_text((file.metadata() or {}).get("ids", "null"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; make the neighbours first") from None
    except Exception as error:  # safetensors and torch raise all sorts at types that they do not know
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: cannot be read ({reason}); make the neighbours again") from None
    if neighbours.dtype != torch.int64:
        raise DataError(f"{path}: neighbours of {neighbours.dtype}, not int64; make the neighbours again")
    if neighbours.ndim != 2 or len(neighbours) != len(ids) or (stored is not None and stored != list(ids)):
        made = f"made from other crops ({len(neighbours)} rows) than this list's {len(ids)}"
        raise DataError(f"{path}: {made}; make the neighbours again")
    if neighbours.shape[1] < 2 or int(neighbours.min()) < 0 or int(neighbours.max()) >= len(ids):
        raise DataError(f"{path}: needs a neighbour beside the crop itself, rows 0 to {len(ids) - 1}; make it again")
    return neighbours


def _open_tokens(path: Path, rows: int) -> NDArray[np.float16]:
    try:
        with path.open("rb") as file:
            npy_head(file)
        tokens: NDArray[np.float16] = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; make the tokens with the neighbours") from None
    except (ValueError, OSError, OverflowError) as error:
        raise DataError(f"{path}: not an array that can be mapped ({error}); make the tokens again") from None
    if tokens.dtype != np.float16 or tokens.ndim != 4 or len(tokens) != rows:
        found = f"{tokens.dtype} of shape {tokens.shape}"
        raise DataError(f"{path}: {found}, not float16 ({rows}, D, h, w); make the tokens again")
    return tokens
