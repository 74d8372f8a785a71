"""Lists of image ids, one image a line, and the id that a file's name stands for."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Container
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.image_ids import ImageIds, repeated
from datamodules.files.text_file import read_lines

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff")
"""Of images, in any case."""

_FIRST_OF_PATHS = re.compile(rf"(.+?(?:{'|'.join(map(re.escape, SUFFIXES))}))\s", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
"""A line that is an id as it stands, as most are."""
_PLAIN_FILE = re.compile(r"([A-Za-z0-9_-]+)\.(?:jpg|png)")
_SHOWN = re.compile(r"(\S+) (?:-1| 0| 1)")
"""A line of VOC's lists by class, ImageSets/Main: whether the image shows it."""


def read_ids(path: Path, known: Container[str] = ()) -> ImageIds:
    """Read the image ids of a list, in its order.

    Bare ids and file names (VOC, IRN), which may have blanks in them or stand in quotation marks (CVAT), paths
    (`/JPEGImages/<id>.jpg /SegmentationClassAug/<id>.png`, PSA and SEAM), and VOC's lists by class are read.

    Args:
        path: of the list.
        known: image ids; a line that is one of them is not taken apart.

    Raises:
        DataError: where the list is missing, in another encoding or empty, or names an image twice.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such list; name a file with one image id a line")
    ids = ImageIds(_id_of(line, known) for line in read_lines(path) if line.strip())
    if not len(ids):
        raise DataError(f"{path}: the list is empty; write one image id a line")
    twice = [image_id for image_id, count in Counter(ids[place] for place in repeated(ids)).items() if count > 1]
    if twice:
        more = f" ({len(twice) - 1} more like it)" if len(twice) > 1 else ""
        raise DataError(f"{path}: {twice[0]} is listed more than once; name each image once{more}")
    return ids


def bare_id(name: str) -> str:
    r"""Return the image id that a path or a file's name stands for: no folders, no suffixes of images.

    Windows' `\` parts folders too. All suffixes go, so that an id that is read again stays what it is; and one that a
    Mac writes in parts (u and two dots) becomes the one that others write.
    """
    if plain := _PLAIN_FILE.fullmatch(name):
        return plain[1]
    bare = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1].strip()
    while (stem := _without_suffix(bare)) not in ("", bare):
        bare = stem
    return bare


def is_hidden(path: Path | str) -> bool:
    """Tell whether a path below a folder is hidden, as are the ._ files that a Mac leaves in archives."""
    return any(part.startswith(".") for part in str(path).split("/"))


def _without_suffix(name: str) -> str:
    suffix = next((suffix for suffix in SUFFIXES if name[-len(suffix) :].lower() == suffix), "")
    return name[: len(name) - len(suffix)].rstrip()


def _id_of(line: str, known: Container[str]) -> str:
    """Take a line for a known id as a whole; else for the first of two paths; else for a name with blanks in it."""
    if _PLAIN.fullmatch(line):
        return line
    whole = bare_id(line)
    if whole in known:
        return whole
    line = line.strip()
    if line.startswith('"') and '"' in line[1:]:
        return bare_id(line[1:].partition('"')[0])
    first = _FIRST_OF_PATHS.match(line) or _SHOWN.fullmatch(line)
    return bare_id(first[1]) if first else whole
