"""Data in another layout than VOC's is brought into it once: by one process, while the others wait."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file

LOCK = ".preparing"


@contextmanager
def preparing(root: Path) -> Iterator[None]:
    """Hold a data folder while it is written to.

    Args:
        root: the data folder; it gets the file `.preparing`, on which other processes wait.

    Raises:
        DataError: where the folder is missing, or the disk is full or refuses.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such data folder; set data.root to the folder that holds the data")
    with disk_faults(root), (root / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def disk_faults(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses while a folder is written into one line."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise DataError(f"{where}: {error.strerror or error}; {folder} needs space and leave to write") from None


def table_text(table: Mapping[str, object]) -> str:
    """Return a table as JSON, a row a line."""
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in table.items())
    return f"{{\n{rows}\n}}\n"


def list_text(ids: Sequence[str]) -> str:
    """Return a list of image ids, one a line."""
    return "".join(f"{image_id}\n" for image_id in ids)


def says(path: Path, text: str) -> bool:
    """Tell whether a file is there with this text."""
    return path.is_file() and path.read_text(encoding="utf-8") == text


def write_whole(path: Path, text: str) -> None:
    """Write a text, whole; a file that says the same already is left alone."""
    if not says(path, text):
        with whole_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
