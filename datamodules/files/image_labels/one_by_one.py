"""Image labels that are asked for image by image: VOC's XML, tables of names, `cls_labels.npy`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from datamodules.errors import DataError
from datamodules.files.class_names import in_words
from datamodules.files.image_labels.faults import LabelFault, NoLabelError
from datamodules.files.image_labels.sparse import ClassIds, ImageLabels, LabelBuilder
from datamodules.files.image_list import bare_id
from datamodules.files.text_file import read_text
from datamodules.unpickle.json_text import read_json_text
from datamodules.unpickle.torch_pickle import read_arrays

LabelOf = Callable[[str], ClassIds]
"""Image id → its classes; raises NoLabelError where there is none, DataError where it does not fit the classes."""


def one_by_one(read: LabelOf, classes: int, ids: Sequence[str]) -> tuple[ImageLabels, list[LabelFault]]:
    """Read the labels of a list, and what is wrong with them.

    Args:
        read: one of them.
        classes: C, foreground classes.
        ids: of the images.
    """
    built, faults = LabelBuilder(classes), []
    for image_id in ids:
        try:
            built.add(read(image_id))
        except DataError as error:
            built.add(None)
            faults.append(LabelFault(image_id, error))
    return built.labels(), faults


def named_labels(
    path: Path, table: Mapping[str, Sequence[str]], class_names: Sequence[str]
) -> Callable[[Sequence[str]], tuple[ImageLabels, list[LabelFault]]]:
    """Return what reads a list's labels in a table of image id → class names.

    Args:
        path: to be named where an image or a class is at fault.
        table: the names of each image's classes.
        class_names: background first.
    """
    known = _ids_by_name(class_names)

    def read(image_id: str) -> ClassIds:
        if image_id not in table:
            raise NoLabelError(path, image_id, named=next(iter(table), None))
        return _class_ids(f"{path}: {image_id}", table[image_id], known)

    return partial(one_by_one, read, len(known))


def xml_labels(folder: Path, class_names: Sequence[str], instead: str) -> LabelOf:
    """Return what reads VOC's XML: the `<name>` of each `<object>`, difficult ones too; parts of a body are no objects.

    Some programs put a namespace in front of these words.

    Args:
        folder: of the files.
        class_names: background first.
        instead: file that could be beside a folder that is not there.

    Raises:
        DataError: where there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no image labels; put VOC's XML files there, or {instead} beside that folder")
    known = _ids_by_name(class_names)

    def read(image_id: str) -> ClassIds:
        path = folder / f"{image_id}.xml"
        try:
            objects = ElementTree.parse(path).getroot().findall("{*}object")
        except FileNotFoundError:
            raise NoLabelError(path, image_id) from None
        except (ElementTree.ParseError, LookupError, ValueError) as error:  # the two of encodings
            raise DataError(f"{path}: not an XML annotation ({error}); fetch it again") from None
        return _class_ids(str(path), [(item.findtext("{*}name") or "").strip() for item in objects], known)

    return read


def read_json_table(path: Path) -> Mapping[str, Sequence[str]]:
    """Read a table of image id → class names; raises DataError where the file is missing or none."""
    try:
        table = read_json_text(read_text(path))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; prepare the data first") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); remove it and prepare the data again") from None
    if not isinstance(table, dict) or not all(isinstance(names, list) for names in table.values()):
        raise DataError(f"{path}: holds no table of image id → class names; write it so")
    return table


def vector_labels(path: Path, classes: int) -> LabelOf:
    """Return what reads `cls_labels.npy`; raises DataError where the file is missing, refused or no such dict.

    Args:
        path: of the file: a pickled dict, int ids (2007000063 for 2007_000063) or str ids, vectors of `classes`. File
            names in place of ids, numbers written as text and torch's tensors are taken too.
        classes: C, foreground classes.
    """
    table = read_arrays(path)
    if not isinstance(table, dict):
        raise DataError(f"{path}: holds no dict of image id → vector; write it as IRN or PSA do")
    named = next(iter(table), None)
    by_file = {bare_id(key): vector for key, vector in table.items() if isinstance(key, str)}

    def read(image_id: str) -> ClassIds:
        number = _number(image_id)
        vector = next((table[key] for key in (image_id, number) if key in table), None)
        vector = by_file.get(image_id, by_file.get(str(number))) if vector is None else vector
        if vector is None:
            raise NoLabelError(path, image_id, named=named)
        return _shown(path, image_id, vector, classes)

    return read


def _ids_by_name(class_names: Sequence[str]) -> dict[str, int]:
    return {name: label_id for label_id, name in enumerate(class_names) if label_id}


def _class_ids(source: str, names: Sequence[str], known: Mapping[str, int]) -> ClassIds:
    for name in names:
        if not isinstance(name, str) or name not in known:
            fault = f"class “{name}” is none of {in_words(known)}"
            raise DataError(f"{source}: {fault}; mend the name or the class names")
    return np.unique(np.array([known[name] for name in names], dtype=np.int64))


def _shown(path: Path, image_id: str, value: object, classes: int) -> ClassIds:
    try:
        vector = np.array(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        vector = np.array(np.nan, dtype=np.float32)
    if vector.shape != (classes,):
        fault = f"{image_id} has shape {vector.shape}, not a number for each of {classes} foreground classes"
        raise DataError(f"{path}: {fault}; is this another data set's file?")
    if not np.isin(vector, (0, 1)).all():
        raise DataError(f"{path}: the vector of {image_id} holds more than zeros and ones; write 1 for a class present")
    return np.flatnonzero(vector) + 1


def _number(image_id: str) -> int | None:
    digits = image_id.replace("_", "")
    return int(digits) if digits.isdecimal() else None
