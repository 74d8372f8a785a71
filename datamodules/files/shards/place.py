"""Where files lie: in a folder, or in shards here or elsewhere. Everything that reads images or labels asks here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Literal, Protocol

from datamodules.files.shards.index import INDEX, is_index
from datamodules.files.shards.shard_folder import ShardFile, ShardFolder
from datamodules.files.shards.store import StoreError, is_url

FEW = 1000
"""Entries of a folder that are looked at for shards: of those it has few, of images it may have millions."""


class File(Protocol):
    """What readers ask of a file: a `Path`, or a file within a shard."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as a Path's

    @property
    def suffix(self) -> str: ...  # noqa: D102 - as a Path's

    @property
    def stem(self) -> str: ...  # noqa: D102 - as a Path's

    def is_file(self) -> bool: ...  # noqa: D102 - as a Path's

    def open(self, mode: Literal["rb"]) -> IO[bytes]: ...  # noqa: D102 - as a Path's


class Folder(Protocol):
    """What readers ask of a folder: a `Path`, or a folder of shards."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as a Path's

    def is_dir(self) -> bool: ...  # noqa: D102 - as a Path's

    def __truediv__(self, name: str) -> File: ...


def place(name: str | Path) -> Path | ShardFolder:
    """Return the folder of a path or a URL; it is one of shards where it holds an index, or is called by its index.

    Raises:
        StoreError: where a folder holds shards and no index.
    """
    text = str(name)
    if is_url(text) or is_index(text):
        return ShardFolder(text.removesuffix(f"/{INDEX}"))
    path = Path(name)
    if (path / INDEX).is_file():
        return ShardFolder(text)
    if path.is_dir() and any(entry.suffix == ".tar" for entry in islice(path.iterdir(), FEW)):
        raise StoreError(f"{path / INDEX}: no such index, and shards lie there; `mars data index {path}` writes it")
    return path


def opened_by_libraries(file: File) -> Path | IO[bytes]:
    """Return what Pillow and zipfile open: a path, or bytes; raises as `open` of the file does."""
    return file if isinstance(file, Path) else file.open("rb")


def file_size(file: File) -> int | None:
    """Return the bytes of a file; None where it is not there."""
    if isinstance(file, ShardFile):
        return None if file.entry is None else file.entry.length
    try:
        return Path(str(file)).stat().st_size
    except FileNotFoundError:
        return None


def names_in(folder: Folder) -> Iterator[str]:
    """Yield the names of what lies in a folder, in no order."""
    if isinstance(folder, ShardFolder):
        return folder.names()
    return (path.name for path in Path(str(folder)).iterdir())
