"""A folder of images that are known by their ids, whatever suffix their cameras gave them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from datamodules.files.image_ids import IdTable
from datamodules.files.image_list import SUFFIXES, bare_id, is_hidden
from datamodules.files.shards.place import File
from datamodules.files.shards.shard_folder import ShardFolder


@dataclass(frozen=True)
class ImageFolder:
    """Finds `<id>.jpg` without looking, and `<id>.JPG`, `<id>.png` and others in the folder's listing.

    Args:
        folder: of the images, without subfolders; or of shards.
    """

    folder: Path | ShardFolder

    def path(self, image_id: str) -> File:
        """Return where an image lies; `<id>.jpg` where there is none of any suffix."""
        if isinstance(self.folder, ShardFolder):
            return self.folder.image(image_id)
        usual = self.folder / f"{image_id}.jpg"
        if usual.is_file():
            return usual
        return self.folder / self._listed.get(image_id, usual.name)

    @cached_property
    def _listed(self) -> Mapping[str, str]:
        if isinstance(self.folder, ShardFolder):
            return {}
        names = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
        images = (name for name in names if name.lower().endswith(SUFFIXES) and not is_hidden(Path(name)))
        named = ((bare_id(name), name) for name in images)
        return IdTable((image_id, name) for image_id, name in named if name != f"{image_id}.jpg")


def files_below(folder: Path) -> Iterator[Path]:
    """Yield what lies below a folder, see `names_below`."""
    return (folder / name for name in names_below(folder))


def names_below(folder: Path) -> Iterator[str]:
    """Yield the paths, from a folder on, of what lies below it.

    Linked folders are entered too; one that a link leads back to is not entered twice.

    Raises:
        OSError: where a sub-folder cannot be opened.
    """

    def told(error: OSError) -> None:
        raise error

    seen: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=told if folder.is_dir() else None, followlinks=True):
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        inside = os.path.relpath(place, folder)
        yield from names if inside == "." else (f"{inside}/{name}" for name in names)
