"""A folder of pictures with captions: ``captions.tsv``, a picture a row, as open_clip's own training reads it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.text_file import read_text

TABLE = "captions.tsv"
FILE, CAPTION = "filepath", "title"
"""The columns, separated by a tab; further ones are not read."""


def read_captions(folder: Path) -> list[tuple[Path, str]]:
    """Return (picture, caption) in the table's order.

    Raises:
        DataError: where the table is missing, is no text, lacks a column or a caption, has no row, or names a picture
            that is not there.
    """
    table = folder / TABLE
    if not table.is_file():
        raise DataError(f"{table}: no such table; write {FILE}, a tab and {CAPTION}, then a row a picture")
    reader = csv.DictReader(read_text(table).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        found = list(_rows(table, reader))
    except csv.Error as error:
        raise DataError(f"{table}, line {reader.line_num + 1}: {error}; mend or drop the row") from None
    if not found:
        raise DataError(f"{table}: has no row; write one a picture")
    return found


def _rows(table: Path, reader: csv.DictReader[str]) -> Iterator[tuple[Path, str]]:
    for column in (FILE, CAPTION):
        if column not in (reader.fieldnames or ()):
            raise DataError(f"{table}: has no column {column}; its first line has to be {FILE}, a tab, {CAPTION}")
    for row in reader:
        name, caption = (row[FILE] or "").strip(), (row[CAPTION] or "").strip()
        where = f"{table}, line {reader.line_num}"
        if not name or not _is_there(table.parent / name):
            raise DataError(f"{where}: no such picture {name[:200]!r} in {table.parent}; put it there or drop the row")
        if not caption:
            raise DataError(f"{where}: {name} has no caption; write one or drop the row")
        yield table.parent / name, caption


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for a file's
        return False


def write_captions(folder: Path, rows: Iterable[tuple[str, str]]) -> None:
    """Write the table of (file's name, caption)."""
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{name}\t{caption}\n" for name, caption in [(FILE, CAPTION), *rows])
