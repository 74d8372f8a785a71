"""Scenes: generated on first use, then read as any data set in the VOC layout."""

from __future__ import annotations

import re
from typing import Any

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.segmentation_data import SegmentationData
from datamodules.synthetic.generator import write_scenes


class Scenes(SegmentationData):
    """Generated scenes whose classes come with companions, so that bias can be measured.

    Args:
        root: where the pictures are, or are to be written.
        data_seed: of the pictures; another one gives another data set. `seed` is that of the training. None takes the
            pictures that are there, of any seed and world, and generates those of seed 0.
        train: number of training pictures.
        val: number of validation pictures.
        options: what `SegmentationData` takes.
    """

    def __init__(
        self, root: str, data_seed: int | None = None, train: int = 800, val: int = 200, **options: Any
    ) -> None:
        super().__init__(root=root, class_names=CLASS_NAMES["scenes"], **options)
        self.data_seed = data_seed
        self.train = train
        self.val = val
        self.prepare_data_per_node = False  # two nodes would write the same folder

    def prepare_root(self) -> None:
        """Generate the pictures where the root is absent, in one process, whole or not at all.

        Raises:
            DataError: where the root holds the pictures of another seed or another number of them.
        """
        root = self.tree.root
        if not root.exists():
            root.parent.mkdir(parents=True, exist_ok=True)
            write_scenes(root, self.data_seed or 0, self.train, self.val)
            return
        found = (len(self.tree.ids("train")), len(self.tree.ids("val")))
        seed = r"\d+" if self.data_seed is None else str(self.data_seed)
        if found != (self.train, self.val) or not re.match(f"s{seed}_", self.tree.ids("train")[0]):
            wanted = f"data_seed {self.data_seed or 0} with {self.train} + {self.val} pictures"
            raise DataError(f"{root}: holds other pictures than {wanted}; remove the folder or set another data.root")
