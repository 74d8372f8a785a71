"""The table of a folder of one's own: which classes each image shows."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.class_names import CLASSES, in_words
from datamodules.files.image_list import SUFFIXES, bare_id
from datamodules.files.text_file import guessed_text
from datamodules.unpickle.json_text import read_json_text

TABLES = ("labels.csv", "labels.json")
FORMS = "line 1 names image and classes, or image and each class, with commas between them"

Rows = list[tuple[str, list[str]]]
"""(Image as the table calls it, its class names) in the table's order."""

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
    text, faults = guessed_text(path)
    if path.suffix == ".json":
        return _from_json(path, text), faults
    try:
        rows, odd = _from_csv(path, text, class_names)
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
    return [(name, [_plain(str(class_name)) for class_name in names]) for name, names in table]


def _from_csv(path: Path, text: str, class_names: Sequence[str]) -> tuple[Rows, list[Fault]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
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
    read: list[Row] = [
        row for row in reader if any(cell.strip() for cell in _cells(row))
    ]  # Excel leaves rows of commas
    rows = [row for row in read if not _broken(row)]
    faults = [*_break_faults(path, read), *_cell_faults(path, rows, columns, wanted)]
    if not wide:
        return [(_cell(row, "image"), _words(_cell(row, "classes"))) for row in rows], faults
    faults += _column_faults(path, rows, set(columns) - {*wanted, ""})
    return [(_cell(row, "image"), _wide(path, row, class_names)) for row in rows], faults


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


def _broken(row: Row) -> bool:
    return any(len(cell.splitlines()) > 1 for cell in _cells(row))


def _break_faults(path: Path, rows: Sequence[Row]) -> Iterator[Fault]:
    """Yield rows that go over several lines: whatever stands behind a quotation mark that nothing closes is lost."""
    for row in filter(_broken, rows):
        begun = next(cell for cell in _cells(row) if cell).splitlines()[0][:60]
        text = f"{path}: the row that begins “{begun}” goes over several lines; close its quotation marks"
        yield Fault("row of several lines", begun, text)


def _words(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(";") if word.strip()]


def _cell_faults(path: Path, rows: Sequence[Row], columns: Sequence[str], wanted: Sequence[str]) -> Iterator[Fault]:
    """Yield rows of more cells than there are columns, empty ones not counted, and rows that end before their classes.

    A wide row that ends too early has an empty cell where 0 or 1 is wanted, which `_wide` tells.
    """
    for row in rows:
        name, beyond = _cell(row, "image"), [cell for cell in row.get(None) or () if cell.strip()]
        if beyond:
            found = f"{len(columns) + len(beyond)} cells, line 1 names {len(columns)} columns"
            remedy = f"write ; between the classes, as in {';'.join([_cell(row, columns[-1]), *beyond])[:100]}"
            yield Fault("row of more cells than columns", name, f"{path}: {name}: {found}; {remedy}")
        if "classes" in wanted and row["classes"] is None:
            text = f"{path}: {name}: the row ends before its classes; write a comma and the classes, or a comma alone"
            yield Fault("row without classes", name, text)


def _column_faults(path: Path, rows: Sequence[Row], others: Collection[str]) -> Iterator[Fault]:
    """Yield columns of 0 and 1 that are none of the classes: they would be lost."""
    for column in sorted(others):
        if {_cell(row, column) for row in rows} == {"0", "1"}:
            text = f"{path}: column {column} of 0 and 1 is no class; add it to {CLASSES}, or remove the column"
            yield Fault("column of no class", column, text)


def _wide(path: Path, row: Row, class_names: Sequence[str]) -> list[str]:
    cells = {name: _cell(row, name) for name in class_names[1:]}
    odd = next((name for name, cell in cells.items() if cell not in ("0", "1")), None)
    if odd is not None:
        raise DataError(f"{path}: {_cell(row, 'image')} has “{cells[odd]}” in column {odd}; write 0 or 1")
    return [name for name, cell in cells.items() if cell == "1"]


def row_faults(
    path: Path, rows: Rows, class_names: Sequence[str], images: Collection[str], unread: Mapping[str, str]
) -> list[Fault]:
    """Return what is wrong with the rows: unknown classes and images, and rows that come twice.

    Args:
        path: of the table, to be named.
        rows: of the table.
        class_names: background first.
        images: image ids that there are.
        unread: name without suffix → place of files that lie there and are not read.
    """
    faults, seen, classes = [], set(), set(class_names[1:])
    known = in_words(class_names[1:])
    for name, names in rows:
        image_id = bare_id(name)
        if image_id not in images:
            place = unread.get(PurePosixPath(image_id).stem) or unread.get(image_id)
            if place is None:
                text = f"{path}: {name or 'a row without a name'}: no such image; mend the name or remove the row"
            else:
                text = f"{path}: {name}: {place} is there but not read; save it as one of {', '.join(SUFFIXES)}"
            faults.append(Fault("row without image", name, text))
        if image_id in seen:
            faults.append(Fault("row twice", name, f"{path}: {name} is there more than once; keep one row"))
        seen.add(image_id)
        for unknown in [class_name for class_name in names if class_name not in classes]:
            text = f"{path}: {name}: class “{unknown}” is none of {known}; mend it or add it to {CLASSES}"
            faults.append(Fault("unknown class", name, text))
    return faults
