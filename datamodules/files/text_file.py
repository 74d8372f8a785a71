"""Text that people and their programs write: lists, tables, class names; UTF-8, or UTF-16 with a mark that says so."""

from __future__ import annotations

import codecs
from pathlib import Path

from datamodules.errors import DataError
from datamodules.faults import Fault


def read_text(path: Path) -> str:
    """Read a text file in UTF-8, or in UTF-16 where its first bytes say so, as PowerShell writes it; no mark is left.

    Raises:
        DataError: where it is in another encoding.
        OSError: where it is missing or cannot be opened.
    """
    content = path.read_bytes()
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8; save it as UTF-8") from None
    if "\0" in text:  # UTF-16 without its mark, or no text at all
        raise DataError(f"{path}: not UTF-8; save it as UTF-8")
    return text


def guessed_text(path: Path) -> tuple[str, list[Fault]]:
    """Read a text file as `read_text` does, or in Windows' own encoding and with the fault, to look at the rest too."""
    try:
        return read_text(path), []
    except DataError as error:
        return path.read_bytes().decode("cp1252", "replace"), [Fault("encoding", path.name, str(error))]
