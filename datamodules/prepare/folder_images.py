"""The images of a folder of one's own: those that are read, those that are there and not read, and odd names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.image_folder import files_below
from datamodules.files.image_list import SUFFIXES, bare_id, is_hidden

IMAGES = "images"

UNREAD = (".heic", ".heif", ".avif", ".gif", ".jp2", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw", ".psd")
"""Of images that cameras and programs write and no stage reads."""


def find_own_images(root: Path) -> tuple[dict[str, str], dict[str, str], list[Fault]]:
    """Look for the images below `images/`; hidden files are not looked at.

    Args:
        root: holds images/.

    Returns:
        image id → path below the root; name without suffix → path of other files; what is wrong with the names.

    Raises:
        DataError: where there is no image at all.
    """
    folder = root / IMAGES
    there = sorted(path for path in files_below(folder) if not is_hidden(path.relative_to(folder)))
    files = [path for path in there if path.is_file()]
    images = [path for path in files if path.suffix.lower() in SUFFIXES]
    others = {path.stem: path.relative_to(root).as_posix() for path in files if path.suffix.lower() not in SUFFIXES}
    if not images:
        other = f" but {next(iter(others.values()))}" if others else ""
        raise DataError(f"{folder}: no images ({', '.join(SUFFIXES)}){other}; put them there or set data.root")
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for path in images:
        odd = _odd_name(path, root, found)
        if odd is None or odd.kind == "name twice":
            found.setdefault(bare_id(path.name), path.relative_to(root).as_posix())
        faults += [odd] if odd else []
    return found, others, [*faults, *_unread(root, others), *_no_files(there)]


def _odd_name(path: Path, root: Path, found: Mapping[str, str]) -> Fault | None:
    """Return what is wrong with a name: another image has it, or a list cannot hold it."""
    place = path.relative_to(root).as_posix()
    readable = place.encode("utf-8", "backslashreplace").decode()
    if readable != place:
        return Fault("name that is not UTF-8", readable, f"{root / readable}: its name is not UTF-8; rename it")
    image_id = bare_id(path.name)
    if len(image_id.splitlines()) != 1:
        return Fault("name with a line break", repr(place), f"{str(path)!r}: has a line break in its name; rename it")
    if image_id in found:
        text = f"{path}: called like {root / found[image_id]}; each needs a name of its own, suffixes not counted"
        return Fault("name twice", place, text)
    return None


def _no_files(there: Sequence[Path]) -> Iterator[Fault]:
    """Yield what is called like an image and cannot be opened: a link whose end was moved, a pipe."""
    for path in there:
        if path.suffix.lower() in SUFFIXES and not path.is_file():
            what = "a link to nothing; mend the link" if path.is_symlink() else "no file; move it away"
            yield Fault("image that is no file", path.name, f"{path}: is {what}")


def _unread(root: Path, others: Mapping[str, str]) -> Iterator[Fault]:
    """Yield images of other suffixes; what is no image at all (notes, thumbnails' tables) may lie there."""
    for place in others.values():
        if place.lower().endswith(UNREAD):
            text = f"{root / place}: {Path(place).suffix} is not read; save it as one of {', '.join(SUFFIXES)}"
            yield Fault("image that is not read", place, text)
