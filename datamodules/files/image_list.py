"""Lists of image ids, one image a line."""

from __future__ import annotations

from pathlib import Path

from datamodules.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png")
"""Of images, in any case."""


def read_ids(path: Path) -> list[str]:
    """Read the image ids of a list, in its order.

    Bare ids (VOC, IRN) and paths (`/JPEGImages/<id>.jpg /SegmentationClassAug/<id>.png`, PSA and SEAM) are read.

    Raises:
        DataError: where the list is missing or empty, or names an image twice.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such list; name a file with one image id a line")
    ids = [bare_id(line.split()[0]) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not ids:
        raise DataError(f"{path}: the list is empty; write one image id a line")
    if len(set(ids)) < len(ids):
        twice = next(image_id for image_id in ids if ids.count(image_id) > 1)
        raise DataError(f"{path}: {twice} is listed more than once; name each image once")
    return ids


def bare_id(name: str) -> str:
    """Return the image id that a path or a file's name stands for: no folders, no suffix of an image."""
    name = name.rsplit("/", 1)[-1]
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]
