"""Where image labels stand, and the one door to all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from datamodules.files.image_labels.faults import LabelFault, NoLabelError
from datamodules.files.image_labels.one_by_one import (
    named_labels,
    one_by_one,
    read_json_table,
    vector_labels,
    xml_labels,
)
from datamodules.files.image_labels.sparse import ImageLabels
from datamodules.files.image_labels.table_file import table_labels

Source = Literal["auto", "xml", "npy", "json", "parquet", "none"]

ANNOTATIONS = "Annotations"
CLS_LABELS = "cls_labels.npy"
IMAGE_LABELS = "image_labels.json"
LABEL_TABLE = "image_labels.parquet"

TABLES: dict[Source, str] = {"npy": CLS_LABELS, "json": IMAGE_LABELS, "parquet": LABEL_TABLE}
"""Source → its file, in the order in which `auto` looks for them."""

LabelSource = Callable[[Sequence[str]], tuple[ImageLabels, list[LabelFault]]]
"""Image ids → their labels, and what is wrong with some of them; raises DataError where nothing can be read."""


def read_image_labels(
    root: Path, ids: Sequence[str], class_names: Sequence[str], source: Source = "auto"
) -> ImageLabels | None:
    """Read the image labels of `ids`.

    Args:
        root: the data set's folder.
        ids: the images that need one.
        class_names: background first.
        source: see `open_image_labels`.

    Returns:
        Their labels by the places of the images; None where there are to be none.

    Raises:
        DataError: where the source or an image in it is missing, or it does not fit the classes.
    """
    read = open_image_labels(root, class_names, source)
    return None if read is None else _without_fault(*read(ids))


def open_image_labels(root: Path, class_names: Sequence[str], source: Source = "auto") -> LabelSource | None:
    """Open the source of the image labels.

    Args:
        root: the data set's folder.
        class_names: background first.
        source: `xml` reads Annotations/<id>.xml, `npy` cls_labels.npy, `json` image_labels.json, `parquet`
            image_labels.parquet, `none` nothing; `auto` takes the first of the three files that lies in the root, or
            else the XML files.

    Raises:
        DataError: where the source is missing or damaged.
    """
    classes = len(class_names) - 1
    if source == "auto":
        source = found_source(root)
    if source == "none":
        return None
    if source == "npy":
        return partial(one_by_one, vector_labels(root / CLS_LABELS, classes), classes)
    if source == "parquet":
        return table_labels(root / LABEL_TABLE, class_names)
    if source == "json":
        path = root / IMAGE_LABELS
        return named_labels(path, read_json_table(path), class_names)
    return partial(one_by_one, xml_labels(root / ANNOTATIONS, class_names, CLS_LABELS), classes)


def found_source(root: Path) -> Source:
    """Return what `auto` reads in a folder."""
    return next((source for source, name in TABLES.items() if (root / name).is_file()), "xml")


def from_cls_labels(path: Path, ids: Sequence[str], classes: int) -> ImageLabels:
    """Read `cls_labels.npy`, wherever it lies, see `vector_labels`.

    Raises:
        DataError: where the file is missing, refused, not such a dict, or lacks an image.
    """
    return _without_fault(*one_by_one(vector_labels(path, classes), classes, ids))


def known_labels(read: LabelSource, ids: Sequence[str]) -> ImageLabels:
    """Read the labels of a list of which some may be missing; raises DataError where one does not fit the classes."""
    labels, faults = read(ids)
    _refuse_unfit(faults)
    return labels


def _refuse_unfit(faults: Sequence[LabelFault]) -> None:
    for _, error in faults:
        if not isinstance(error, NoLabelError):
            raise error


def _without_fault(labels: ImageLabels, faults: Sequence[LabelFault]) -> ImageLabels:
    _refuse_unfit(faults)
    missing = [error for _, error in faults if isinstance(error, NoLabelError)]
    if missing:
        raise NoLabelError(missing[0].path, missing[0].image_id, len(missing) - 1, missing[0].named)
    return labels
