"""A folder of one's own: images, a table of image labels, class names, perhaps masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datamodules.files.class_names import folder_class_names
from datamodules.prepare.folder import prepare_folder
from datamodules.segmentation_data import SegmentationData


class Folder(SegmentationData):
    """A folder that holds images/, classes.txt and labels.csv or labels.json; docs/own_data.md shows one.

    Args:
        root: that folder.
        options: what `SegmentationData` takes; where there is no val.txt, nothing is validated.
    """

    def __init__(self, root: str, **options: Any) -> None:
        super().__init__(root=root, class_names=folder_class_names(Path(root)), **options)
        self.prepare_data_per_node = False  # two nodes would write the same folder

    def prepare_root(self) -> None:
        """Write what the tables say in VOC's layout; raises DataError as `prepare_folder` does."""
        prepare_folder(self.tree.root)

    def _validates(self) -> bool:
        there = self.validate_split is not None and self.tree.list_file(self.validate_split).is_file()
        return there and super()._validates()
