"""Data in another layout than VOC's is brought into it once: by one process, while the others wait."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file

LOCK = ".preparing"

Text = Callable[[], Iterable[str]]
"""Gives the parts of a text, as often as it is asked: one of millions of lines is never whole in memory."""


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


def table_text(table: Mapping[str, object]) -> Text:
    """Return a table as JSON, a row a line."""

    def rows() -> Iterator[str]:
        before = "{\n"
        for key, value in table.items():
            yield f"{before}{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
            before = ",\n"
        yield "\n}\n" if len(table) else "{\n\n}\n"

    return rows


def list_text(ids: Sequence[str]) -> Text:
    """Return a list of image ids, one a line."""
    return lambda: (f"{image_id}\n" for image_id in ids)


def says(path: Path, text: Text) -> bool:
    """Tell whether a file is there with this text."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8") as file:
        return all(file.read(len(part)) == part for part in text()) and not file.read(1)


def write_whole(path: Path, text: Text) -> None:
    """Write a text, whole; a file that says the same already is left alone."""
    if not says(path, text):
        with whole_file(path) as partial, partial.open("w", encoding="utf-8") as file:
            file.writelines(text())
