"""Image-level labels: which classes an image shows.

They are read from VOC's XML, from the WSSS community's `cls_labels.npy`, or from `image_labels.json`, a table of image
id → class names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.files.image_list import bare_id
from datamodules.files.text_file import read_text
from datamodules.unpickle.json_text import read_json_text
from datamodules.unpickle.torch_pickle import read_arrays

if TYPE_CHECKING:
    from torch import Tensor

Source = Literal["auto", "xml", "npy", "json", "none"]

ANNOTATIONS = "Annotations"
CLS_LABELS = "cls_labels.npy"
IMAGE_LABELS = "image_labels.json"

ImageLabels = Mapping[str, "Tensor"]
"""Image id → float32 (C,), 1 where foreground class k+1 is in the image."""

LabelOf = Callable[[str], NDArray[np.float32]]
"""Image id → such a vector; raises NoLabelError where there is none, DataError where it does not fit the classes."""


class NoLabelError(DataError):
    """An image has no label; `more` says how many others lack theirs, `named` what the source calls its first image."""

    def __init__(self, path: Path, image_id: str, more: int = 0, named: object = None) -> None:
        self.path, self.image_id, self.named = path, image_id, named
        others = f" and {more} more" if more else ""
        there = "" if named is None else f", its names are like {named!r}"
        super().__init__(f"{path}: no image label for {image_id}{others}{there}; add it or take it off the list")


def read_image_labels(
    root: Path, ids: Sequence[str], class_names: Sequence[str], source: Source = "auto"
) -> ImageLabels:
    """Read the image labels of `ids`.

    Args:
        root: the data set's folder.
        ids: the images that need one.
        class_names: background first.
        source: see `label_reader`; with `none` no image has labels.

    Raises:
        DataError: where the source or an image in it is missing, or it does not fit the classes.
    """
    read = label_reader(root, class_names, source)
    return {} if read is None else _each(read, ids)


def label_reader(root: Path, class_names: Sequence[str], source: Source = "auto") -> LabelOf | None:
    """Open the source of the image labels.

    Args:
        root: the data set's folder.
        class_names: background first.
        source: `xml` reads Annotations/<id>.xml, `npy` cls_labels.npy, `json` image_labels.json, `none` nothing;
            `auto` takes the first of cls_labels.npy and image_labels.json that lies in the root, or else the XML files.

    Raises:
        DataError: where the source is missing or damaged.
    """
    if source == "auto":
        source = "npy" if (root / CLS_LABELS).is_file() else "json" if (root / IMAGE_LABELS).is_file() else "xml"
    if source == "none":
        return None
    if source == "npy":
        return _cls_labels(root / CLS_LABELS, len(class_names) - 1)
    return _json(root / IMAGE_LABELS, class_names) if source == "json" else _xml(root / ANNOTATIONS, class_names)


def from_cls_labels(path: Path, ids: Sequence[str], classes: int) -> ImageLabels:
    """Read `cls_labels.npy`: a pickled dict, int ids (2007000063 for 2007_000063) or str ids, vectors of `classes`.

    File names in place of ids, numbers written as text and torch's tensors are taken too.

    Raises:
        DataError: where the file is missing, refused, not such a dict, or lacks an image.
    """
    return _each(_cls_labels(path, classes), ids)


def _each(read: LabelOf, ids: Sequence[str]) -> ImageLabels:
    import torch

    labels: dict[str, Tensor] = {}
    missing: list[NoLabelError] = []
    for image_id in ids:
        try:
            labels[image_id] = torch.from_numpy(read(image_id))
        except NoLabelError as error:
            missing.append(error)
    if missing:
        raise NoLabelError(missing[0].path, missing[0].image_id, len(missing) - 1, missing[0].named)
    return labels


def _xml(folder: Path, class_names: Sequence[str]) -> LabelOf:
    """VOC's XML: the `<name>` of each `<object>`, difficult ones too; parts of a body are no objects.

    Some programs put a namespace in front of these words.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no image labels; put VOC's XML files there, or {CLS_LABELS} beside that folder")

    def read(image_id: str) -> NDArray[np.float32]:
        path = folder / f"{image_id}.xml"
        try:
            objects = ElementTree.parse(path).getroot().findall("{*}object")
        except FileNotFoundError:
            raise NoLabelError(path, image_id) from None
        except (ElementTree.ParseError, LookupError, ValueError) as error:  # the two of encodings
            raise DataError(f"{path}: not an XML annotation ({error}); fetch it again") from None
        return _hot(str(path), [(item.findtext("{*}name") or "").strip() for item in objects], class_names)

    return read


def _json(path: Path, class_names: Sequence[str]) -> LabelOf:
    try:
        table = read_json_text(read_text(path))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; prepare the data first") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); remove it and prepare the data again") from None
    if not isinstance(table, dict) or not all(isinstance(names, list) for names in table.values()):
        raise DataError(f"{path}: holds no table of image id → class names; write it so")
    return table_reader(path, table, class_names)


def table_reader(path: Path, table: Mapping[str, Sequence[str]], class_names: Sequence[str]) -> LabelOf:
    """Return what reads a table of image id → class names.

    Args:
        path: to be named where an image or a class is at fault.
        table: the names of each image's classes.
        class_names: background first.
    """

    def read(image_id: str) -> NDArray[np.float32]:
        if image_id not in table:
            raise NoLabelError(path, image_id, named=next(iter(table), None))
        return _hot(f"{path}: {image_id}", table[image_id], class_names)

    return read


def _hot(source: str, names: Sequence[str], class_names: Sequence[str]) -> NDArray[np.float32]:
    known = list(class_names[1:])
    vector = np.zeros(len(known), dtype=np.float32)
    for name in names:
        if name not in known:
            raise DataError(f"{source}: class “{name}” is none of {', '.join(known)}; mend the name or the class names")
        vector[known.index(name)] = 1
    return vector


def _cls_labels(path: Path, classes: int) -> LabelOf:
    table = read_arrays(path)
    if not isinstance(table, dict):
        raise DataError(f"{path}: holds no dict of image id → vector; write it as IRN or PSA do")
    named = next(iter(table), None)
    by_file = {bare_id(key): vector for key, vector in table.items() if isinstance(key, str)}

    def read(image_id: str) -> NDArray[np.float32]:
        number = _number(image_id)
        vector = next((table[key] for key in (image_id, number) if key in table), None)
        vector = by_file.get(image_id, by_file.get(str(number))) if vector is None else vector
        if vector is None:
            raise NoLabelError(path, image_id, named=named)
        return _vector(path, image_id, vector, classes)

    return read


def _vector(path: Path, image_id: str, value: object, classes: int) -> NDArray[np.float32]:
    try:
        vector = np.array(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        vector = np.array(np.nan, dtype=np.float32)
    if vector.shape != (classes,):
        fault = f"{image_id} has shape {vector.shape}, not a number for each of {classes} foreground classes"
        raise DataError(f"{path}: {fault}; is this another data set's file?")
    if not np.isin(vector, (0, 1)).all():
        raise DataError(f"{path}: the vector of {image_id} holds more than zeros and ones; write 1 for a class present")
    return vector


def _number(image_id: str) -> int | None:
    digits = image_id.replace("_", "")
    return int(digits) if digits.isdecimal() else None
