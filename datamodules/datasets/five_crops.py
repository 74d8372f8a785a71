"""STEGO's data: every image as four corners and a centre, and pairs of crops that look alike.

The released code cuts five crops of half of each side beforehand and saves them; here they are cut while reading.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.v2 import functional as F

from datamodules.datasets.dataset import epoch_and_index
from datamodules.datasets.sample import Sample
from datamodules.datasets.seeding import generator
from datamodules.errors import DataError
from datamodules.files.tree import Tree, read_image

CROPS = 5
"""Crops of an image: the corners from the upper left, row by row, and the centre."""

NEAREST = 7
"""A positive is one of so many nearest neighbours (STEGO's num_neighbors)."""


class FiveCrops(Dataset[Sample]):
    """Crops in the order of the list, five an image: item 5·i + k is crop k of image i, its id `<id>@k`.

    A crop has half the height and half the width, is resized until its short side is `size` (bilinear) and then cut to
    a square around its centre.

    Args:
        tree: where the images lie.
        ids: the images.
        size: side of the square, in pixels.
    """

    def __init__(self, tree: Tree, ids: Sequence[str], size: int) -> None:
        self.tree = tree
        self.images = list(ids)
        self.size = size

    @property
    def ids(self) -> list[str]:
        """The crops' ids, a row each."""
        return [f"{image_id}@{k}" for image_id in self.images for k in range(CROPS)]

    def __len__(self) -> int:
        return CROPS * len(self.images)

    def __getitem__(self, index: int) -> Sample:
        """Cut crop `index`; raises DataError where the image is missing or damaged."""
        image_id, k = self.images[index // CROPS], index % CROPS
        return {"id": f"{image_id}@{k}", "image": self._cut(read_image(self.tree.image(image_id)), k)}

    def _cut(self, image: Tensor, k: int) -> Tensor:
        height, width = image.shape[-2:]
        crop: Tensor = F.five_crop(image, [max(height // 2, 1), max(width // 2, 1)])[k]
        return F.center_crop(F.resize(crop, [self.size], antialias=True), [self.size, self.size])


class CropPairs(Dataset[Sample]):
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
        return torch.from_numpy(self._map[row].copy())


def _read_neighbours(path: Path, ids: Sequence[str]) -> Tensor:
    try:
        with safe_open(path, framework="pt") as file:
            neighbours: Tensor = file.get_tensor("neighbours")
            stored = json.loads((file.metadata() or {}).get("ids", "null"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; make the neighbours first") from None
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path}: cannot be read ({error}); make the neighbours again") from None
    if neighbours.ndim != 2 or len(neighbours) != len(ids) or (stored is not None and stored != list(ids)):
        made = f"made from other crops ({len(neighbours)} rows) than this list's {len(ids)}"
        raise DataError(f"{path}: {made}; make the neighbours again")
    if neighbours.shape[1] < 2 or int(neighbours.min()) < 0 or int(neighbours.max()) >= len(ids):
        raise DataError(f"{path}: needs a neighbour beside the crop itself, rows 0 to {len(ids) - 1}; make it again")
    return neighbours


def _open_tokens(path: Path, rows: int) -> NDArray[np.float16]:
    try:
        tokens: NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; make the tokens with the neighbours") from None
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: not an array that can be mapped ({error}); make the tokens again") from None
    if tokens.dtype != np.float16 or tokens.ndim != 4 or len(tokens) != rows:
        found = f"{tokens.dtype} of shape {tokens.shape}"
        raise DataError(f"{path}: {found}, not float16 ({rows}, D, h, w); make the tokens again")
    return tokens
