"""PASCAL VOC 2012 with the SBD masks."""

from __future__ import annotations

from typing import Any

from datamodules.files.class_names import CLASS_NAMES
from datamodules.segmentation_data import SegmentationData


class VOC(SegmentationData):
    """VOC 2012 as it is unpacked (the folder that holds JPEGImages), or a part of it.

    Args:
        root: folder that holds JPEGImages, ImageSets/Segmentation and the image labels.
        options: what `SegmentationData` takes.
    """

    def __init__(self, root: str, **options: Any) -> None:
        super().__init__(root=root, class_names=CLASS_NAMES["voc"], **options)
