"""Where things lie in a data set of VOC's layout: images, labels and lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from datamodules.errors import DataError
from datamodules.files.image_list import read_ids
from datamodules.files.image_size import opened_image
from datamodules.files.json_text import read_json_text
from datamodules.files.labels import read_label

if TYPE_CHECKING:
    from torch import Tensor

FIT_SPLIT, VALIDATE_SPLIT, PREDICT_SPLIT = "train_aug", "val", "train_aug"
"""Lists that are fitted, validated and predicted where nothing else is said: VOC's with the masks of SBD."""

IMAGE_PATHS = "images.json"
"""Image id → path below the root, where images lie elsewhere than in JPEGImages."""


@dataclass(frozen=True)
class Tree:
    """A data set's root and the paths below it.

    Images are `JPEGImages/<id>.jpg`, or where `images.json` says; lists `ImageSets/Segmentation/<split>.txt`.
    """

    root: Path

    def image(self, image_id: str) -> Path:
        """Return the path of an image; raises DataError where `images.json` is damaged."""
        return self.root / self._elsewhere.get(image_id, f"JPEGImages/{image_id}.jpg")

    @cached_property
    def _elsewhere(self) -> Mapping[str, str]:
        path = self.root / IMAGE_PATHS
        try:
            return dict(read_json_text(path.read_text(encoding="utf-8"))) if path.is_file() else {}
        except (ValueError, TypeError):
            raise DataError(
                f"{path}: holds no table of image id → path; remove it and prepare the data again"
            ) from None

    def folder(self, name: str) -> Path:
        """Return a label folder: the one of that name in the root, or else a path of its own."""
        inside = self.root / name
        return inside if inside.is_dir() else Path(name)

    def list_file(self, split: str) -> Path:
        """Return where the list of a split lies, whether it is there or not."""
        return self.root / "ImageSets" / "Segmentation" / f"{split}.txt"

    def splits(self) -> list[str]:
        """Return the names of the lists that are there, sorted."""
        return sorted(file.stem for file in self.list_file("any").parent.glob("*.txt"))

    def ids(self, split: str) -> list[str]:
        """Read the image ids of a list, in its order.

        Bare ids (VOC, IRN) and paths (`/JPEGImages/<id>.jpg /SegmentationClassAug/<id>.png`, PSA and SEAM) are read.

        Raises:
            DataError: where the root or the list is missing, the list is empty, or names an image twice.
        """
        if not self.root.is_dir():
            raise DataError(f"{self.root}: no such data folder; set data.root to the folder that holds JPEGImages")
        path = self.list_file(split)
        if not path.is_file():
            there = ", ".join(self.splits()) or "none"
            raise DataError(f"{path}: no such list; put it there or name one of those that are ({there})")
        return read_ids(path)


def read_image(path: Path) -> Tensor:
    """Read an image as uint8 3×H×W RGB; raises DataError as `opened_image` does."""
    import torch  # not above, so that commands that only look for files start at once

    with opened_image(path) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()


def read_codes(path: Path) -> Tensor:
    """Read a label file as int64 H×W; raises DataError as `read_label` does."""
    import torch

    return torch.from_numpy(read_label(path).astype(np.int64))
