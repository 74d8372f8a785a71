"""The images of a folder of one's own: those that are read, those that are there and not read, and odd names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.image_folder import names_below
from datamodules.files.image_ids import IdTable, ImageIds, repeated
from datamodules.files.image_list import SUFFIXES, bare_id, is_hidden

IMAGES = "images"

UNREAD = (".heic", ".heif", ".avif", ".gif", ".jp2", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw", ".psd")
"""Of images that cameras and programs write and no stage reads."""


def find_own_images(root: Path) -> tuple[Mapping[str, str], dict[str, str], list[Fault]]:
    """Look for the images below `images/`; hidden files are not looked at.

    Args:
        root: holds images/.

    Returns:
        image id → path below the root; name without suffix → path of other files; what is wrong with the names.

    Raises:
        DataError: where there is no image at all.
    """
    folder = root / IMAGES
    # folder by folder: / stands before all that a name may hold
    keys = sorted(name.replace("/", "\0") for name in names_below(folder) if not is_hidden(name))
    images, others, no_files = _sorted_out(folder, (key.replace("\0", "/") for key in keys))
    if not len(images):
        other = f" but {next(iter(others.values()))}" if others else ""
        raise DataError(f"{folder}: no images ({', '.join(SUFFIXES)}){other}; put them there or set data.root")
    faults: list[Fault] = []
    found = IdTable(_each_named(root, images, faults))
    return found, others, [*faults, *_unread(root, others), *_no_files(no_files)]


def _sorted_out(folder: Path, names: Iterable[str]) -> tuple[ImageIds, dict[str, str], list[Path]]:
    """Return the names of images, other files as `find_own_images` does, and what is called an image and is no file."""
    others: dict[str, str] = {}
    no_files: list[Path] = []

    def images() -> Iterator[str]:
        for name in names:
            path = folder / name
            is_file, is_image = path.is_file(), path.suffix.lower() in SUFFIXES
            if is_image and is_file:
                yield name
            elif is_image:
                no_files.append(path)
            elif is_file:
                others[path.stem] = f"{IMAGES}/{name}"

    return ImageIds(images()), others, no_files


def _each_named(root: Path, images: ImageIds, faults: list[Fault]) -> Iterator[tuple[str, str]]:
    """Yield id and path below the root of each image whose name will do, and add what is wrong with the others."""
    maybe, first = set(repeated(bare_id(name) for name in images).tolist()), dict[str, str]()
    for number, name in enumerate(images):
        image_id, place = bare_id(name), f"{IMAGES}/{name}"
        odd = _odd_name(root, place, image_id)
        if odd is None and number in maybe and (other := first.setdefault(image_id, place)) != place:
            text = f"{root / place}: called like {root / other}; each needs a name of its own, suffixes not counted"
            odd = Fault("name twice", place, text)
        if odd is None:
            yield image_id, place
        else:
            faults.append(odd)


def _odd_name(root: Path, place: str, image_id: str) -> Fault | None:
    """Return why a list cannot hold a name."""
    readable = place.encode("utf-8", "backslashreplace").decode()
    if readable != place:
        return Fault("name that is not UTF-8", readable, f"{root / readable}: its name is not UTF-8; rename it")
    if len(image_id.splitlines()) != 1:
        return Fault(
            "name with a line break", repr(place), f"{str(root / place)!r}: has a line break in its name; rename it"
        )
    return None


def _no_files(paths: Sequence[Path]) -> Iterator[Fault]:
    """Yield what is called like an image and cannot be opened: a link whose end was moved, a pipe."""
    for path in paths:
        what = "a link to nothing; mend the link" if path.is_symlink() else "no file; move it away"
        yield Fault("image that is no file", path.name, f"{path}: is {what}")


def _unread(root: Path, others: Mapping[str, str]) -> Iterator[Fault]:
    """Yield images of other suffixes; what is no image at all (notes, thumbnails' tables) may lie there."""
    for place in others.values():
        if place.lower().endswith(UNREAD):
            text = f"{root / place}: {Path(place).suffix} is not read; save it as one of {', '.join(SUFFIXES)}"
            yield Fault("image that is not read", place, text)
