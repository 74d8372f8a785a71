"""Which program an export is of, told by its content or by a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.image_folder import files_below
from datamodules.prepare.imports.class_folders import read_class_folders
from datamodules.prepare.imports.coco_categories import read_coco_categories
from datamodules.prepare.imports.cvat import read_cvat
from datamodules.prepare.imports.export import Export, text_at
from datamodules.prepare.imports.json_file import read_export_json
from datamodules.prepare.imports.label_studio import read_label_studio
from datamodules.prepare.imports.yolo import names_file, read_yolo

KINDS: dict[str, Callable[[Path], Export]] = {
    "class-folders": read_class_folders,
    "yolo": read_yolo,
    "label-studio": read_label_studio,
    "cvat": read_cvat,
    "coco": read_coco_categories,
}
"""Kind → its reader."""

FOLDERS = ("class-folders", "yolo")
"""Kinds whose exports are folders; the others are files."""


def kind_of(source: Path) -> str:
    """Tell an export's kind by its content.

    Raises:
        DataError: where there is none, or it is of no kind that is known.
    """
    if source.is_dir():
        labels = names_file(source) is not None or any(path.parent.name == "labels" for path in files_below(source))
        return "yolo" if labels else "class-folders"
    if not source.is_file():
        raise DataError(f"{source}: no such export; name a folder of classes, or what a program exported")
    if source.suffix.lower() == ".xml":
        return "cvat"
    if source.suffix.lower() == ".json":
        return "label-studio" if isinstance(read_export_json(source), list) else "coco"
    remedy = "unpack it and name what is in it" if source.suffix.lower() == ".zip" else f"say one: {', '.join(KINDS)}"
    raise DataError(f"{source}: its kind cannot be told by its content; {remedy}")


def read_export(source: Path, kind: str | None = None) -> tuple[str, Export]:
    """Read an export; returns its kind too.

    Args:
        source: folder or file.
        kind: one of ``KINDS``; by default what its content tells.

    Raises:
        DataError: in one line that names the file, where it is at fault.
    """
    kind = kind or kind_of(source)
    if source.is_dir() != (kind in FOLDERS) or not source.exists():
        raise DataError(f"{source}: no {'folder' if kind in FOLDERS else 'file'}, which {kind} is; name another")
    export = KINDS[kind](source)
    for name in export.class_names:
        text_at(source, "a class", name)
    return kind, export
