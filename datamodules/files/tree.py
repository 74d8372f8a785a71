"""Where things lie in a data set of VOC's layout: images, labels and lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from datamodules.errors import DataError
from datamodules.files.image_folder import ImageFolder
from datamodules.files.image_ids import IdTable, ImageIds
from datamodules.files.image_list import is_hidden, read_ids
from datamodules.files.image_size import opened_image
from datamodules.files.labels import read_label
from datamodules.files.shards.index import INDEX
from datamodules.files.shards.place import File, place
from datamodules.files.shards.shard_folder import ShardFolder
from datamodules.files.shards.store import is_url
from datamodules.files.text_file import read_text
from datamodules.unpickle.json_text import read_json_text

if TYPE_CHECKING:
    from torch import Tensor

FIT_SPLIT, VALIDATE_SPLIT, PREDICT_SPLIT = "train_aug", "val", "train_aug"
"""Lists that are fitted, validated and predicted where nothing else is said: VOC's with the masks of SBD."""

IMAGES = "JPEGImages"
"""Folder of the images."""

IMAGE_PATHS = "images.json"
"""Image id → path below the root, where images lie elsewhere than in JPEGImages."""


@dataclass(frozen=True)
class Tree:
    """A data set's root and the paths below it.

    Images are `JPEGImages/<id>.jpg` or of another suffix, in shards too, or lie where `images.json` says; lists are
    `ImageSets/Segmentation/<split>.txt`.

    Args:
        root: folder of the data set.
        places: image id → path below the root, in place of `images.json`; None reads that where it is there.
    """

    root: Path
    places: Mapping[str, str] | None = None

    def image(self, image_id: str) -> File:
        """Return where an image lies; raises DataError where `images.json` is damaged."""
        elsewhere = self._elsewhere.get(image_id)
        return self._images.path(image_id) if elsewhere is None else self.root / elsewhere

    @cached_property
    def _images(self) -> ImageFolder:
        return ImageFolder(place(self.root / IMAGES))

    @cached_property
    def _elsewhere(self) -> Mapping[str, str]:
        if self.places is not None:
            return self.places
        path = self.root / IMAGE_PATHS
        try:
            places = read_json_text(read_text(path)) if path.is_file() else {}
        except ValueError:
            places = None
        if not isinstance(places, dict) or not all(isinstance(path, str) for path in places.values()):
            raise DataError(f"{path}: holds no table of image id → path; remove it and prepare the data again")
        return IdTable(places.items())

    def folder(self, name: str) -> Path | ShardFolder:
        """Return a label folder: the one of that name in the root, or else a path or URL of its own; shards too."""
        inside = self.root / name
        return place(name if is_url(name) or not inside.is_dir() else inside)

    def list_file(self, split: str) -> Path:
        """Return where the list of a split lies, whether it is there or not."""
        return self.root / "ImageSets" / "Segmentation" / f"{split}.txt"

    def splits(self) -> list[str]:
        """Return the names of the lists that are there, sorted."""
        lists = self.list_file("any").parent.glob("*.txt")
        return sorted(file.stem for file in lists if not is_hidden(Path(file.name)))

    def ids(self, split: str) -> ImageIds:
        """Read the image ids of a list, in its order.

        Raises:
            DataError: where the root or the list is missing, or as `read_ids` does.
        """
        if not self.root.is_dir():
            raise DataError(f"{self.root}: no such data folder; set data.root to the folder that holds JPEGImages")
        path = self.list_file(split)
        if not path.is_file():
            there = ", ".join(self.splits()) or "none"
            raise DataError(f"{path}: no such list; put it there or name one of those that are ({there})")
        return read_ids(path, self._elsewhere)


def is_packed(root: Path) -> bool:
    """Tell whether a data set's images are shards: it was prepared before, and nothing is left to prepare."""
    return (root / IMAGES / INDEX).is_file()


def read_image(path: File) -> Tensor:
    """Read an image as uint8 3×H×W RGB; raises DataError as `opened_image` does."""
    import torch  # not above, so that commands that only look for files start at once

    with opened_image(path) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()


def read_codes(path: File) -> Tensor:
    """Read a label file as int64 H×W; raises DataError as `read_label` does."""
    import torch

    return torch.from_numpy(read_label(path).astype(np.int64))
