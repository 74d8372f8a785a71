"""Image-level labels: which classes a photograph shows, from VOC's XML or the WSSS community's `cls_labels.npy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
import torch
from torch import Tensor

from datamodules.errors import DataError
from datamodules.restricted_pickle import read_pickled_npy

Source = Literal["auto", "xml", "npy", "none"]

ANNOTATIONS = "Annotations"
CLS_LABELS = "cls_labels.npy"

ImageLabels = Mapping[str, Tensor]
"""Image id → float32 (C,), 1 where foreground class k+1 is in the image."""


def read_image_labels(
    root: Path, ids: Sequence[str], class_names: Sequence[str], source: Source = "auto"
) -> ImageLabels:
    """Read the image labels of `ids`.

    Args:
        root: the data set's folder.
        ids: the images that need one.
        class_names: background first.
        source: `xml` reads Annotations/<id>.xml, `npy` cls_labels.npy, `none` nothing (no image has labels);
            `auto` takes cls_labels.npy where it lies in the root, and the XML files otherwise.

    Raises:
        DataError: where the source or an image in it is missing, or it does not fit the classes.
    """
    if source == "auto":
        source = "npy" if (root / CLS_LABELS).is_file() else "xml"
    if source == "none":
        return {}
    if source == "npy":
        return from_cls_labels(root / CLS_LABELS, ids, len(class_names) - 1)
    return from_annotations(root / ANNOTATIONS, ids, class_names)


def from_annotations(folder: Path, ids: Sequence[str], class_names: Sequence[str]) -> ImageLabels:
    """Read VOC's XML: the `<name>` of each `<object>`, difficult ones too; parts of a body are no objects.

    Raises:
        DataError: where a file is missing or damaged, or names an unknown class.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no image labels; put VOC's XML files there, or {CLS_LABELS} beside that folder")
    missing = [image_id for image_id in ids if not (folder / f"{image_id}.xml").is_file()]
    if missing:
        raise _missing(folder / f"{missing[0]}.xml", missing)
    place = {name: index for index, name in enumerate(class_names[1:])}
    return {image_id: _from_xml(folder / f"{image_id}.xml", place) for image_id in ids}


def _from_xml(path: Path, place: Mapping[str, int]) -> Tensor:
    try:
        names = [(item.findtext("name") or "").strip() for item in ElementTree.parse(path).getroot().findall("object")]
    except ElementTree.ParseError as error:
        raise DataError(f"{path}: not an XML annotation ({error}); fetch it again") from None
    vector = torch.zeros(len(place))
    for name in names:
        if name not in place:
            raise DataError(f"{path}: class “{name}” is none of {', '.join(place)}; mend the name or the class names")
        vector[place[name]] = 1
    return vector


def from_cls_labels(path: Path, ids: Sequence[str], classes: int) -> ImageLabels:
    """Read `cls_labels.npy`: a pickled dict, int ids (2007000063 for 2007_000063) or str ids, vectors of `classes`.

    Raises:
        DataError: where the file is missing, refused, not such a dict, or lacks an image.
    """
    table = read_pickled_npy(path)
    if not isinstance(table, dict):
        raise DataError(f"{path}: holds no dict of image id → vector; write it as IRN or PSA do")
    vectors = {image_id: table.get(image_id, table.get(_number(image_id))) for image_id in ids}
    missing = [image_id for image_id, vector in vectors.items() if vector is None]
    if missing:
        raise _missing(path, missing)
    return {image_id: _vector(path, image_id, vector, classes) for image_id, vector in vectors.items()}


def _vector(path: Path, image_id: str, value: object, classes: int) -> Tensor:
    try:
        vector = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError):
        vector = np.array(np.nan)
    if vector.shape != (classes,):
        fault = f"{image_id} has shape {vector.shape}, not a number for each of {classes} foreground classes"
        raise DataError(f"{path}: {fault}; is this another data set's file?")
    if not np.isin(vector, (0, 1)).all():
        raise DataError(f"{path}: the vector of {image_id} holds more than zeros and ones; write 1 for a class present")
    return torch.from_numpy(vector.copy())


def _number(image_id: str) -> int | None:
    digits = image_id.replace("_", "")
    return int(digits) if digits.isdecimal() else None


def _missing(path: Path, missing: Sequence[str]) -> DataError:
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return DataError(f"{path}: no image label for {missing[0]}{more}; add it or take it off the list")
