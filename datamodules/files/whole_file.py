"""Files that appear whole or not at all."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datamodules.errors import DataError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name beside ``path`` to write to, and rename it to ``path`` once the block has ended well.

    The folder is made; what a block that raised has written is removed. Whatever the block writes with (safetensors
    makes files that only their owner reads), the file has the mode that any new file has.

    Raises:
        DataError: before the block, where ``path`` is a folder, or a file is in its folder's place.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name a file")
    partial = make_folder(path.parent) / f"{path.name}.part"
    partial.unlink(missing_ok=True)
    partial.touch()
    mode = stat.S_IMODE(partial.stat().st_mode)
    try:
        yield partial
        partial.chmod(mode)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(path)


def make_folder(folder: Path) -> Path:
    """Make a folder and those above it, where they are not there; returns it.

    Raises:
        DataError: where a file is in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataError(f"{folder}: a file is in the place of this folder; name another") from None
    return folder
