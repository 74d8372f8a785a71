"""The table of a folder of one's own: which classes each image shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.class_names import CLASSES
from datamodules.files.image_list import bare_id
from datamodules.files.json_text import read_json_text

TABLES = ("labels.csv", "labels.json")

Rows = list[tuple[str, list[str]]]
"""(Image as the table calls it, its class names) in the table's order."""


def table_file(root: Path) -> Path:
    """Return the table of image labels; raises DataError where there is none, or are two."""
    found = [root / name for name in TABLES if (root / name).is_file()]
    if len(found) != 1:
        fault = "both are there; remove one" if found else "no image labels; write one of the two"
        raise DataError(f"{root}/{' and '.join(TABLES)}: {fault}")
    return found[0]


def read_rows(path: Path, class_names: Sequence[str]) -> Rows:
    """Read a table of image labels.

    A CSV file has the column `image`, and either `classes`, names with ; between them, or a column of 0 and 1 for each
    class. A JSON file maps images to lists of names.

    Raises:
        DataError: where the file is not such a table.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8; save it as that") from None
    return _from_json(path, text) if path.suffix == ".json" else _from_csv(path, text, class_names)


def _from_json(path: Path, text: str) -> Rows:
    try:
        table = read_json_text(text, pairs=list)  # a dict would hide what is named twice
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); mend it there") from None
    if not isinstance(table, list) or not all(isinstance(row, tuple) and isinstance(row[1], list) for row in table):
        raise DataError(f'{path}: write images and lists of their classes, {{"a.jpg": ["cat"], …}}')
    return [(name, [str(class_name) for class_name in names]) for name, names in table]


def _from_csv(path: Path, text: str, class_names: Sequence[str]) -> Rows:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = list(reader.fieldnames or ())
    wide = "classes" not in columns
    wanted = ["image", *(class_names[1:] if wide else ["classes"])]
    missing = [column for column in wanted if column not in columns]
    if missing:
        raise DataError(f"{path}: no column {missing[0]}; line 1 names image and classes, or image and each class")
    return [(row["image"] or "", _wide(path, row, class_names) if wide else _words(row["classes"])) for row in reader]


def _words(cell: str | None) -> list[str]:
    return [word.strip() for word in (cell or "").split(";") if word.strip()]


def _wide(path: Path, row: Mapping[str, str | None], class_names: Sequence[str]) -> list[str]:
    cells = {name: (row[name] or "").strip() for name in class_names[1:]}
    odd = next((name for name, cell in cells.items() if cell not in ("0", "1")), None)
    if odd is not None:
        raise DataError(f"{path}: {row['image']} has “{cells[odd]}” in column {odd}; write 0 or 1")
    return [name for name, cell in cells.items() if cell == "1"]


def row_faults(path: Path, rows: Rows, class_names: Sequence[str], images: Iterable[str]) -> list[Fault]:
    """Return what is wrong with the rows: unknown classes and images, and rows that come twice.

    Args:
        path: of the table, to be named.
        rows: of the table.
        class_names: background first.
        images: image ids that there are.
    """
    faults, seen, there = [], set(), set(images)
    for name, names in rows:
        image_id = bare_id(name)
        if image_id not in there:
            text = f"{path}: {name or 'a row without a name'}: no such image; mend the name or remove the row"
            faults.append(Fault("row without image", name, text))
        if image_id in seen:
            faults.append(Fault("row twice", name, f"{path}: {name} is there more than once; keep one row"))
        seen.add(image_id)
        for unknown in [class_name for class_name in names if class_name not in class_names[1:]]:
            known = ", ".join(class_names[1:])
            text = f"{path}: {name}: class “{unknown}” is none of {known}; mend it or add it to {CLASSES}"
            faults.append(Fault("unknown class", name, text))
    return faults
