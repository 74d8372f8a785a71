"""A lock beside a folder: one command makes it at a time, the others wait and say so."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the lock beside a folder; where another command holds it, say so and wait. Yields the lock's descriptor."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _file(folder).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{folder.name}: another command is making it; waiting", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def is_locked(folder: Path) -> bool:
    """Tell whether a command holds the lock of a folder."""
    if not _file(folder).is_file():
        return False
    with _file(folder).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _file(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")
