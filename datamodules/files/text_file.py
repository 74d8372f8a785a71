"""Text that people and their programs write: lists, tables, class names; UTF-8, or UTF-16 with a mark that says so."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from datamodules.errors import DataError
from datamodules.faults import Fault

WINDOWS = "cp1252"

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""What a file in UTF-16 begins with."""


def read_text(path: Path) -> str:
    """Read a text file in UTF-8, or in UTF-16 where its first bytes say so, as PowerShell writes it; no mark is left.

    Raises:
        DataError: where it is in another encoding.
        OSError: where it is missing or cannot be opened.
    """
    content = path.read_bytes()
    try:
        text = content.decode(_encoding(content))
    except UnicodeDecodeError:
        raise _not_utf_8(path) from None
    if "\0" in text:  # UTF-16 without its mark, or no text at all
        raise _not_utf_8(path)
    return text


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file, without their ends, as `read_text(path).splitlines()` would; one at a time.

    Raises:
        DataError: where it is in another encoding, once that line is met.
        OSError: where it is missing or cannot be opened.
    """
    with path.open("rb") as file:
        encoding = _encoding(file.read(max(map(len, UTF_16))))
    try:
        with path.open(encoding=encoding) as lines:
            for line in lines:
                if "\0" in line:
                    raise _not_utf_8(path)
                yield from line.splitlines()  # there are other ends than those that a file is parted at
    except UnicodeDecodeError:
        raise _not_utf_8(path) from None


def guessed_text(path: Path) -> tuple[str, list[Fault]]:
    """Read a text file as `read_text` does, or in Windows' own encoding and with the fault, to look at the rest too."""
    try:
        return read_text(path), []
    except DataError as error:
        return path.read_bytes().decode(WINDOWS, "replace"), [Fault("encoding", path.name, str(error))]


def guessed_encoding(path: Path) -> tuple[str, list[Fault]]:
    """Return the encoding of a text file that is read line by line; as `guessed_text` does, with the fault."""
    try:
        for _ in read_lines(path):
            pass
    except DataError as error:
        return WINDOWS, [Fault("encoding", path.name, str(error))]
    with path.open("rb") as file:
        return _encoding(file.read(max(map(len, UTF_16)))), []


def _encoding(head: bytes) -> str:
    return "utf-16" if head.startswith(UTF_16) else "utf-8-sig"


def _not_utf_8(path: Path) -> DataError:
    return DataError(f"{path}: not UTF-8; save it as UTF-8")
