"""What every program's export comes to: class names, and of each image which classes it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from datamodules.errors import DataError
from datamodules.prepare.coco_annotations import Runs

SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""What folders of a split are called, and the list that they become."""

LONGEST = 400
"""Letters of a name."""


class Region(NamedTuple):
    """The pixels of one object.

    Attributes:
        name: of its class.
        shape: polygons as lists of x, y, … in pixels, or COCO's runs.
        relative: the polygons are in shares of the image's sides.
    """

    name: str
    shape: list[list[float]] | Runs
    relative: bool = False


@dataclass(frozen=True)
class ExportedImage:
    """What an export says of one image.

    Attributes:
        place: as the export calls it, or below the export's folder.
        names: of the classes that it shows, each once.
        regions: of all its objects, in the order in which they are drawn; empty where one has none.
        split: list that it is on; empty for none.
        file: where it lies, if the export says so.
    """

    place: str
    names: tuple[str, ...]
    regions: tuple[Region, ...] = ()
    split: str = ""
    file: Path | None = None


@dataclass(frozen=True)
class Export:
    """An export.

    Attributes:
        class_names: without background, in the order of their codes.
        images: those that were annotated.
        skipped: images that nobody annotated.
    """

    class_names: tuple[str, ...]
    images: list[ExportedImage] = field(default_factory=list)
    skipped: int = 0


def split_of(parts: Sequence[str]) -> str:
    """Return the list that the folders of a path name, empty for none."""
    return next((SPLITS[part.lower()] for part in parts if part.lower() in SPLITS), "")


def once(names: Iterable[str]) -> tuple[str, ...]:
    """Return names in their order, each once, without those that are empty."""
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def text_at(path: Path, where: str, value: object) -> str:
    """Return a value that has to be text.

    Raises:
        DataError: where it is none, or longer than a name.
    """
    if not isinstance(value, str) or len(value.strip().splitlines()) != 1 or len(value) > LONGEST:
        raise DataError(f"{path}: {where} is no name but {str(value)[:60]!r}; export it again")
    return value.strip()
