"""COCO 2014 with its 80 classes."""

from __future__ import annotations

from typing import Any

from datamodules.files.class_names import CLASS_NAMES
from datamodules.prepare.coco import prepare_coco
from datamodules.prepare.coco_masks import Crowd, Overlap, Rule
from datamodules.segmentation_data import SegmentationData


class COCO(SegmentationData):
    """COCO 2014 as it is unpacked: train2014, val2014 and annotations; see `prepare/coco.py` for its lists.

    Args:
        root: folder that holds the three.
        overlap: which of two overlapping instances a pixel belongs to, the `later` or the `smallest`.
        crowd: whether regions of uncounted instances are `excluded` from the masks or `included`.
        options: what `SegmentationData` takes.
    """

    def __init__(self, root: str, overlap: Overlap = "later", crowd: Crowd = "excluded", **options: Any) -> None:
        super().__init__(root=root, class_names=CLASS_NAMES["coco"], **options)
        self.rule = Rule(overlap, crowd)
        self.prepare_data_per_node = False  # two nodes would write the same folder

    def prepare_root(self) -> None:
        """Write lists, image labels and masks where they are absent; raises DataError as `prepare_coco` does."""
        prepare_coco(self.tree.root, self.rule)
