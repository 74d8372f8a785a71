"""Image-level labels: which classes each image of a list shows.

They are read from VOC's XML, from the WSSS community's `cls_labels.npy`, from `image_labels.json`, a table of image
id → class names, or from `image_labels.parquet`, which holds label ids in place of names; and are held sparse.
"""

from datamodules.files.image_labels.faults import LabelFault, NoLabelError
from datamodules.files.image_labels.one_by_one import named_labels
from datamodules.files.image_labels.sources import (
    ANNOTATIONS,
    CLS_LABELS,
    IMAGE_LABELS,
    LABEL_TABLE,
    TABLES,
    LabelSource,
    Source,
    found_source,
    from_cls_labels,
    known_labels,
    open_image_labels,
    read_image_labels,
)
from datamodules.files.image_labels.sparse import ImageLabels
from datamodules.files.image_labels.table_file import holds, write_table

__all__ = [
    "ANNOTATIONS",
    "CLS_LABELS",
    "IMAGE_LABELS",
    "LABEL_TABLE",
    "TABLES",
    "ImageLabels",
    "LabelFault",
    "LabelSource",
    "NoLabelError",
    "Source",
    "found_source",
    "from_cls_labels",
    "holds",
    "known_labels",
    "named_labels",
    "open_image_labels",
    "read_image_labels",
    "write_table",
]
