"""The pixel features of a predict job as files, with their size said before the first is written."""

from __future__ import annotations

import shutil
from pathlib import Path

from lightning_utilities.core.rank_zero import rank_zero_info
from torch import Tensor

from datamodules.errors import DataError
from datamodules.files.features import write_features
from datamodules.terminal import size_words


class StoredFeatures:
    """A folder of feature files.

    Args:
        folder: of the files.
        images: how many are still to be written, by all processes.
    """

    def __init__(self, folder: Path, images: int) -> None:
        self.folder, self.images = folder, images
        self._said = False

    def write(self, image_id: str, features: Tensor) -> None:
        """Write one image's features (D, h, w) in half precision.

        Raises:
            DataError: before the first, where the disk has no room for all of them.
        """
        if not self._said:
            self._say(2 * features.numel())
            self._said = True
        write_features(self.folder / f"{image_id}.npy", features.float().cpu().numpy())

    def _say(self, each: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        whole, free = each * self.images, shutil.disk_usage(self.folder).free
        told = f"{self.folder}: features of {self.images} images, some {size_words(whole)}"
        if whole > free:
            raise DataError(f"{told}, {size_words(free)} are free; leave out features=true or make room")
        rank_zero_info(f"{told} by the size of the first")
