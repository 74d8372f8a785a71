"""Label Studio's JSON export, whole (``JSON``) or short (``JSON-MIN``): choices, rectangles, brushes and polygons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from datamodules.errors import DataError
from datamodules.prepare.imports.export import Export, ExportedImage, Region, once, text_at
from datamodules.prepare.imports.json_file import read_export_json

UPLOADED = re.compile(r"[0-9a-f]{8}-")
"""What Label Studio puts in front of the names of uploaded files."""

POLYGON = "polygonlabels"


def read_label_studio(source: Path) -> Export:
    """Read an export; tasks that nobody annotated are left out.

    Args:
        source: the JSON file.

    Raises:
        DataError: where it is none, or a task names no image.
    """
    tasks = read_export_json(source)
    if not isinstance(tasks, list):
        raise DataError(f"{source}: no list of tasks; export it as JSON or JSON-MIN")
    images, skipped = [], 0
    for number, task in enumerate(tasks, start=1):
        if not isinstance(task, dict):
            raise DataError(f"{source}: task {number} is no table; export it again")
        results = _results(task)
        if results is None:
            skipped += 1
            continue
        place = _image(source, number, task)
        names, regions, whole = [], [], True
        for kind, value in results:
            shown = _names(value.get(kind))
            names += shown
            if kind == POLYGON:
                regions += [Region(name, [polygon], relative=True) for name in shown if (polygon := _polygon(value))]
            whole = whole and kind == POLYGON
        images.append(ExportedImage(place, once(names), tuple(regions) if whole else ()))
    classes = sorted({name for image in images for name in image.names})
    if not classes:
        raise DataError(f"{source}: no task has a choice or a label; annotate some, or export another project")
    return Export(tuple(classes), images, skipped)


def _results(task: dict[str, Any]) -> list[tuple[str, dict[str, Any]]] | None:
    """What was annotated, as kind and value; None where nothing was, which is not the same as an image of nothing."""
    annotations = task.get("annotations", task.get("completions"))
    if annotations is None and "data" not in task:
        found = list(_short_results(task))
        return found or None
    given = annotations if isinstance(annotations, list) else []
    done = [one for one in given if isinstance(one, dict) and not one.get("was_cancelled")]
    if not done:
        return None
    result = done[0].get("result")
    entries = [one for one in result if isinstance(one, dict)] if isinstance(result, list) else []
    return [
        (str(one.get("type")), one["value"]) for one in entries if isinstance(one.get("value"), dict) and "type" in one
    ]


def _short_results(task: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """JSON-MIN: `choice` is a word or a table of several, each kind of label a list of tables."""
    for key, value in task.items():
        if key in ("image", "id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"):
            continue
        if isinstance(value, str) and key.startswith("choice"):
            yield "choices", {"choices": [value]}
        elif isinstance(value, dict) and "choices" in value:
            yield "choices", value
        elif isinstance(value, list):
            for one in (one for one in value if isinstance(one, dict)):
                yield from ((kind, one) for kind in one if str(kind).endswith("labels"))


def _names(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _polygon(value: dict[str, Any]) -> list[float]:
    """Corners in shares of the sides; Label Studio has per cent. Empty where they are none."""
    points = value.get("points")
    pairs = [point for point in points if isinstance(point, list)] if isinstance(points, list) else []
    flat = [number for point in pairs for number in point]
    if len(flat) < 6 or len(flat) % 2 or not all(type(one) in (int, float) and abs(one) <= 200 for one in flat):
        return []
    return [one / 100 for one in flat]


def _image(source: Path, number: int, task: dict[str, Any]) -> str:
    """The image's name: of the file that was uploaded, of a local file, or the end of its address."""
    data = task.get("data", task)
    named = data.get("image") if isinstance(data, dict) else None
    if not isinstance(named, str) and isinstance(data, dict):
        named = next((one for one in data.values() if isinstance(one, str) and "." in one), None)
    if not isinstance(named, str) or not named.strip():
        raise DataError(f"{source}: task {number} names no image; its data need one under `image`")
    path = unquote(named.partition("?d=")[2] or named.partition("?")[0])
    return text_at(source, f"task {number}: its image", path.replace("\\", "/").rstrip("/"))


def uploaded_name(place: str) -> str:
    """Return the name that a file had before it was uploaded."""
    return UPLOADED.sub("", place.rsplit("/", 1)[-1], count=1)
