"""How many images each list will have once a folder of one's own is made ready; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.class_names import CLASSES
from datamodules.prepare.folder import read_folder
from datamodules.prepare.folder_images import IMAGES


def planned_lists(root: Path) -> Mapping[str, int]:
    """Return split → images of a folder of one's own that was not made ready; nothing for any other folder.

    What is wrong with the folder is told when it is made ready.

    Args:
        root: of the data.
    """
    if not ((root / IMAGES).is_dir() and (root / CLASSES).is_file()):
        return {}
    changed = tuple(path.stat().st_mtime_ns for path in (root, root / IMAGES, root / CLASSES))
    return _lists(root, changed)


@lru_cache(maxsize=1)  # each stage of a plan asks, and a hundred thousand images take seconds to find
def _lists(root: Path, changed: tuple[int, ...]) -> Mapping[str, int]:
    try:
        return {split: len(ids) for split, ids in read_folder(root)[0].lists.items()}
    except DataError:
        return {}
