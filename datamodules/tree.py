"""Where things lie in a data set of VOC's layout: photographs, labels and lists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from datamodules.errors import DataError
from datamodules.image_list import read_ids
from datamodules.labels import read_label


@dataclass(frozen=True)
class Tree:
    """A data set's root and the paths below it: `JPEGImages/<id>.jpg`, `ImageSets/Segmentation/<split>.txt`."""

    root: Path

    def photograph(self, image_id: str) -> Path:
        """Return the path of a photograph."""
        return self.root / "JPEGImages" / f"{image_id}.jpg"

    def folder(self, name: str) -> Path:
        """Return a label folder: the one of that name in the root, or else a path of its own."""
        inside = self.root / name
        return inside if inside.is_dir() else Path(name)

    def ids(self, split: str) -> list[str]:
        """Read the image ids of a list, in its order.

        Bare ids (VOC, IRN) and paths (`/JPEGImages/<id>.jpg /SegmentationClassAug/<id>.png`, PSA and SEAM) are read.

        Raises:
            DataError: where the root or the list is missing, the list is empty, or names an image twice.
        """
        if not self.root.is_dir():
            raise DataError(f"{self.root}: no such data folder; set data.root to the folder that holds JPEGImages")
        path = self.root / "ImageSets" / "Segmentation" / f"{split}.txt"
        if not path.is_file():
            there = ", ".join(sorted(file.stem for file in path.parent.glob("*.txt"))) or "none"
            raise DataError(f"{path}: no such list; put it there or name one of those that are ({there})")
        return read_ids(path)


def read_photograph(path: Path) -> Tensor:
    """Read a photograph as uint8 3×H×W RGB.

    Raises:
        DataError: where it is missing or cannot be decoded.
    """
    try:
        with Image.open(path) as image:
            return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()
    except FileNotFoundError:
        raise DataError(f"{path}: no such photograph; fetch it or take it off the list") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be decoded ({error}); fetch the photograph again") from None


def read_codes(path: Path) -> Tensor:
    """Read a label file as int64 H×W; raises DataError as `read_label` does."""
    return torch.from_numpy(read_label(path)).long()
