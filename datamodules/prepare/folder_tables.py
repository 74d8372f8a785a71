"""The table of a folder of one's own: which classes each image shows."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.class_names import CLASSES, in_words
from datamodules.files.image_ids import ImageIds, later
from datamodules.files.image_list import SUFFIXES, bare_id
from datamodules.files.text_file import guessed_encoding, guessed_text
from datamodules.prepare.table_rows import Rows
from datamodules.unpickle.json_text import read_json_text

TABLES = ("labels.csv", "labels.json")
FORMS = "line 1 names image and classes, or image and each class, with commas between them"

FLAGS = {"0", "1"}

Row = dict[str | None, str | list[str] | None]
"""Column → cell of a CSV file; None → the cells beyond the last column."""


def table_file(root: Path) -> Path:
    """Return the table of image labels; raises DataError where there is none, or are two."""
    found = [root / name for name in TABLES if (root / name).is_file()]
    if len(found) != 1:
        fault = "both are there; remove one" if found else "no image labels; write one of the two"
        raise DataError(f"{root}/{' and '.join(TABLES)}: {fault}")
    return found[0]


def read_rows(path: Path, class_names: Sequence[str]) -> tuple[Rows, list[Fault]]:
    """Read a table of image labels, and name its encoding and the rows from which a class would be lost.

    A CSV file has the column `image`, and either `classes`, names with ; between them, or a column of 0 and 1 for each
    class. A JSON file maps images to lists of names.

    Raises:
        DataError: where the file is not such a table.
    """
    if path.suffix == ".json":
        text, faults = guessed_text(path)
        return _from_json(path, text), faults
    encoding, faults = guessed_encoding(path)
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as lines:
            rows, odd = _from_csv(path, lines, class_names)
    except csv.Error as error:
        raise DataError(f"{path}: not CSV ({error}); save it as that again") from None
    return rows, [*faults, *odd]


def _from_json(path: Path, text: str) -> Rows:
    try:
        table = read_json_text(text, pairs=list)  # a dict would hide what is named twice
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); mend it there") from None
    if not isinstance(table, list) or not all(isinstance(row, tuple) and isinstance(row[1], list) for row in table):
        raise DataError(f'{path}: write images and lists of their classes, {{"a.jpg": ["cat"], …}}')
    return Rows((name, [_plain(str(class_name)) for class_name in names]) for name, names in table)


def _from_csv(path: Path, lines: Iterable[str], class_names: Sequence[str]) -> tuple[Rows, list[Fault]]:
    reader = csv.DictReader(lines, skipinitialspace=True)
    columns = [_column(name) for name in reader.fieldnames or ()]
    wide = "classes" not in columns
    wanted = ["image", *(class_names[1:] if wide else ["classes"])]
    missing = [column for column in wanted if column not in columns]
    if missing:
        raise DataError(f"{path}: no column {missing[0]} but {' and '.join(columns) or 'none'}; {FORMS}")
    twice = [column for column in wanted if columns.count(column) > 1]
    if twice:
        raise DataError(f"{path}: column {twice[0]} is there more than once; keep one")
    reader.fieldnames = columns
    faults = _RowFaults(path, columns, wanted, wide)

    def rows() -> Iterator[tuple[str, list[str]]]:
        row: Row
        for row in reader:
            if any(cell.strip() for cell in _cells(row)) and faults.look(row):  # Excel leaves rows of commas
                names = _wide(path, row, class_names) if wide else _words(_cell(row, "classes"))
                yield _cell(row, "image"), names

    return Rows(rows()), faults.all()


class _RowFaults:
    """What is wrong with the rows of a CSV file, which are shown to it one by one."""

    def __init__(self, path: Path, columns: Sequence[str], wanted: Sequence[str], wide: bool) -> None:
        self._path, self._columns, self._wanted = path, columns, wanted
        self._breaks: list[Fault] = []
        self._cells: list[Fault] = []
        self._others: dict[str, set[str]] = {name: set() for name in sorted({*columns} - {*wanted, ""}) if wide}

    def look(self, row: Row) -> bool:
        """Tell whether a row can be read."""
        if any(len(cell.splitlines()) > 1 for cell in _cells(row)):
            self._breaks.append(_break_fault(self._path, row))
            return False
        self._cells += _cell_faults(self._path, row, self._columns, self._wanted)
        for column, said in self._others.items():
            if len(said) <= len(FLAGS):  # more says that it is no column of flags, however many it would become
                said.add(_cell(row, column))
        return True

    def all(self) -> list[Fault]:
        """Return all: of rows that cannot be read, of others, and columns of 0 and 1 that are none of the classes."""
        path, lost = self._path, [column for column, said in self._others.items() if said == FLAGS]
        remedy = f"is no class; add it to {CLASSES}, or remove the column"
        columns = [
            Fault("column of no class", column, f"{path}: column {column} of 0 and 1 {remedy}") for column in lost
        ]
        return [*self._breaks, *self._cells, *columns]


def _column(name: str) -> str:
    """Return a column's name; the two that are ours in any case of letters."""
    name = _plain(name)
    return name.lower() if name.lower() in ("image", "classes") else name


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _cell(row: Row, column: str) -> str:
    cell = row.get(column)
    return _plain(cell) if isinstance(cell, str) else ""


def _cells(row: Row) -> Iterator[str]:
    for cell in row.values():
        yield from [cell] if isinstance(cell, str) else cell or ()


def _break_fault(path: Path, row: Row) -> Fault:
    """Name a row that goes over several lines: whatever stands behind a quotation mark that nothing closes is lost."""
    begun = next(cell for cell in _cells(row) if cell).splitlines()[0][:60]
    text = f"{path}: the row that begins “{begun}” goes over several lines; close its quotation marks"
    return Fault("row of several lines", begun, text)


def _words(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(";") if word.strip()]


def _cell_faults(path: Path, row: Row, columns: Sequence[str], wanted: Sequence[str]) -> Iterator[Fault]:
    """Yield that a row has more cells than there are columns, empty ones not counted, or ends before its classes.

    A wide row that ends too early has an empty cell where 0 or 1 is wanted, which `_wide` tells.
    """
    name, beyond = _cell(row, "image"), [cell for cell in row.get(None) or () if cell.strip()]
    if beyond:
        found = f"{len(columns) + len(beyond)} cells, line 1 names {len(columns)} columns"
        remedy = f"write ; between the classes, as in {';'.join([_cell(row, columns[-1]), *beyond])[:100]}"
        yield Fault("row of more cells than columns", name, f"{path}: {name}: {found}; {remedy}")
    if "classes" in wanted and row["classes"] is None:
        text = f"{path}: {name}: the row ends before its classes; write a comma and the classes, or a comma alone"
        yield Fault("row without classes", name, text)


def _wide(path: Path, row: Row, class_names: Sequence[str]) -> list[str]:
    cells = {name: _cell(row, name) for name in class_names[1:]}
    odd = next((name for name, cell in cells.items() if cell not in ("0", "1")), None)
    if odd is not None:
        raise DataError(f"{path}: {_cell(row, 'image')} has “{cells[odd]}” in column {odd}; write 0 or 1")
    return [name for name, cell in cells.items() if cell == "1"]


def row_faults(
    path: Path,
    rows: Sequence[tuple[str, Sequence[str]]],
    class_names: Sequence[str],
    images: Container[str],
    unread: Mapping[str, str],
) -> list[Fault]:
    """Return what is wrong with the rows: unknown classes and images, and rows that come twice.

    Args:
        path: of the table, to be named.
        rows: of the table.
        class_names: background first.
        images: image ids that there are.
        unread: name without suffix → place of files that lie there and are not read.
    """
    faults, classes = [], set(class_names[1:])
    ids = ImageIds(bare_id(name) for name, _ in rows)
    again = later(ids)
    known = in_words(class_names[1:])
    for number, (image_id, (name, names)) in enumerate(zip(ids, rows, strict=True)):
        if image_id not in images:
            place = unread.get(PurePosixPath(image_id).stem) or unread.get(image_id)
            if place is None:
                text = f"{path}: {name or 'a row without a name'}: no such image; mend the name or remove the row"
            else:
                text = f"{path}: {name}: {place} is there but not read; save it as one of {', '.join(SUFFIXES)}"
            faults.append(Fault("row without image", name, text))
        if number in again:
            faults.append(Fault("row twice", name, f"{path}: {name} is there more than once; keep one row"))
        for unknown in [class_name for class_name in names if class_name not in classes]:
            text = f"{path}: {name}: class “{unknown}” is none of {known}; mend it or add it to {CLASSES}"
            faults.append(Fault("unknown class", name, text))
    return faults
