"""YOLO's layout: a text file an image, a line an object, and the class names in ``data.yaml`` or ``classes.txt``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from datamodules.errors import DataError
from datamodules.files.image_folder import files_below
from datamodules.files.image_list import SUFFIXES, is_hidden
from datamodules.files.text_file import read_text
from datamodules.prepare.imports.export import Export, ExportedImage, Region, once, split_of
from datamodules.unpickle.yaml_text import read_yaml_text

YAMLS = ("data.yaml", "data.yml", "dataset.yaml")
LISTS = ("classes.txt", "obj.names", "labels/classes.txt", "_darknet.labels")
BOX, TRIANGLE = 5, 7
"""Numbers in a line of a box, and in the shortest one of a polygon."""

FARTHEST = 2.0
"""Corners are shares of the image's sides; programs write a little beyond 1."""


def names_file(source: Path) -> Path | None:
    """Return the file of the class names, None where there is none."""
    return next((source / name for name in (*YAMLS, *LISTS) if (source / name).is_file()), None)


def read_yolo(source: Path) -> Export:
    """Read YOLO's label files. An image without one shows none of the classes, as YOLO has it.

    Args:
        source: holds the class names, and images with their text files beside them or in ``labels`` beside ``images``.

    Raises:
        DataError: on the first file that cannot be read.
    """
    path = names_file(source)
    if path is None:
        raise DataError(f"{source}: no class names ({', '.join((*YAMLS, *LISTS))}); put the file there")
    names = read_yolo_names(path)
    images = []
    for file in sorted(files_below(source)):
        place = file.relative_to(source)
        if is_hidden(place) or file.suffix.lower() not in SUFFIXES or not file.is_file():
            continue
        label = _label_file(source, place)
        regions, boxes = read_yolo_label(label, names) if label is not None else ([], [])
        shown = once([*boxes, *(one.name for one in regions)])
        drawn = () if boxes else tuple(regions)
        images.append(ExportedImage(place.as_posix(), shown, drawn, split_of(place.parts[:-1]), file))
    if not images:
        raise DataError(f"{source}: no images ({', '.join(SUFFIXES)}) below it; put them beside their labels")
    return Export(names, images)


def read_yolo_names(path: Path) -> tuple[str, ...]:
    """Read the class names: ``names`` of a YAML, a list or a table by number; or a name a line.

    Raises:
        DataError: where there are none.
    """
    if path.suffix not in (".yaml", ".yml"):
        names: Any = [line.strip() for line in read_text(path).splitlines() if line.strip()]
    else:
        try:
            content = read_yaml_text(read_text(path))
        except yaml.YAMLError as error:
            raise DataError(f"{path}: is no YAML ({' '.join(str(error).split())[:200]}); mend it there") from None
        names = content.get("names") if isinstance(content, dict) else None
        if isinstance(names, dict):
            numbers = list(names)
            if sorted(map(str, numbers)) != sorted(map(str, range(len(names)))):
                raise DataError(f"{path}: names are not numbered from 0 on; number them as the labels do")
            names = [names[number] for number in sorted(numbers, key=lambda number: int(str(number)))]
    if not isinstance(names, list) or not names or not all(isinstance(name, str | int) for name in names):
        raise DataError(f"{path}: no names of classes; write `names: [cat, dog]`, or a name a line in classes.txt")
    found = tuple(str(name).strip() for name in names)
    if len(set(found)) < len(found) or "" in found:
        raise DataError(f"{path}: a class has no name, or two have the same; mend it there")
    return found


def read_yolo_label(path: Path, names: Sequence[str]) -> tuple[list[Region], list[str]]:
    """Read one label file.

    Args:
        path: of the text file: a class's number, then a box (4 numbers) or a polygon (x, y, …), in shares of the sides.
        names: of the classes.

    Returns:
        The polygons, and the names of the classes of boxes.

    Raises:
        DataError: on the first line that is none of these.
    """
    regions, boxes = [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        try:
            values = [float(word) for word in words]
        except ValueError:
            raise DataError(f"{path}: line {number} is no row of numbers; export it again") from None
        name = _name(path, number, values[0], names)
        if not all(abs(value) <= FARTHEST for value in values[1:]):  # not a number neither
            raise DataError(f"{path}: line {number} has corners beyond the image; they are shares of its sides, 0 to 1")
        if len(values) == BOX:
            boxes.append(name)
        elif len(values) >= TRIANGLE and len(values) % 2:
            regions.append(Region(name, [values[1:]], relative=True))
        else:
            raise DataError(f"{path}: line {number} has {len(values)} numbers; a box has {BOX}, a polygon more corners")
    return regions, boxes


def _name(path: Path, number: int, value: float, names: Sequence[str]) -> str:
    if value not in range(len(names)):
        raise DataError(f"{path}: line {number} is of class {value:g}, there are {len(names)}, from 0; mend the names")
    return names[int(value)]


def _label_file(source: Path, place: Path) -> Path | None:
    """The text file of an image: in ``labels`` where it lies in ``images``, or beside it."""
    parts = list(place.with_suffix(".txt").parts)
    candidates = [source.joinpath(*parts)]
    if "images" in parts[:-1]:
        last = len(parts) - 1 - parts[::-1].index("images")
        candidates.insert(0, source.joinpath(*parts[:last], "labels", *parts[last + 1 :]))
    return next((path for path in candidates if path.is_file()), None)
