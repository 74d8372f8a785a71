"""Tar archives opened within bounds: what a packed one unpacks to, and what is read of it at once."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from datamodules.errors import DataError

AT_ONCE = 64 * 2**20
"""Bytes that are read at once: a file's name, or a mask, is no larger."""

PACKED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""First bytes of a packed archive → what unpacks it."""


class _Bounded(io.RawIOBase):
    """A file of which only so much is read at once, and in all."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most = file, most

    def read(self, size: int = -1) -> bytes:
        if size > AT_ONCE:
            raise tarfile.ReadError(f"{size:,} bytes at once, {AT_ONCE:,} are read")
        return self._file.read(size)

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        if place > self._most:
            raise tarfile.ReadError(f"more than {self._most:,} bytes unpacked")
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def open_tar(path: Path, most: int, remedy: str) -> Iterator[tarfile.TarFile]:
    """Open a tar archive, packed by gzip, bzip2, xz or not at all.

    Args:
        path: of the archive.
        most: bytes that it may have when it is unpacked.
        remedy: what to do where it is damaged.

    Raises:
        DataError: where it is damaged or larger.
        FileNotFoundError: where it is missing.
    """
    try:
        with path.open("rb") as file:
            start = file.read(6)
        opener = next((packed for magic, packed in PACKED.items() if start.startswith(magic)), open)
        with opener(path, "rb") as file, tarfile.open(fileobj=_Bounded(file, most), mode="r:") as archive:
            yield archive
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, ValueError, KeyError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: no whole tar archive ({error}); {remedy}") from None
