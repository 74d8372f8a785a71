"""Scenes: generated on first use, then read as any data set in the VOC layout."""

from __future__ import annotations

from typing import Any

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.segmentation_data import SegmentationData
from datamodules.synthetic.generator import write_scenes


class Scenes(SegmentationData):
    """Generated scenes whose classes come with companions, so that bias can be measured.

    Args:
        root: where the pictures are, or are to be written.
        data_seed: of the pictures; another one gives another data set. `seed` is that of the training.
        train: number of training pictures.
        val: number of validation pictures.
        options: what `SegmentationData` takes.
    """

    def __init__(self, root: str, data_seed: int = 0, train: int = 800, val: int = 200, **options: Any) -> None:
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
            write_scenes(root, self.data_seed, self.train, self.val)
            return
        found = (len(self.tree.ids("train")), len(self.tree.ids("val")))
        if found != (self.train, self.val) or not self.tree.ids("train")[0].startswith(f"s{self.data_seed}_"):
            wanted = f"data_seed {self.data_seed} with {self.train} + {self.val} pictures"
            raise DataError(f"{root}: holds other pictures than {wanted}; remove the folder or set another data.root")
