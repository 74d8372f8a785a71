"""The figures that a stage left in its folder, as items of a dashboard: sweep, candidates, what was removed, a row."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from callbacks.writing.candidates.table_file import CANDIDATES
from mars_pl.commands.json_files import read_json
from mars_pl.commands.report.selection import read_candidates, spread_candidates
from mars_pl.dashboards.items import Curve, Histogram, Items, Table
from mars_pl.pipeline.stages.debiasing import DEBIASED

MOST_CANDIDATES = 10_000
"""Rows of their table; of more, evenly spaced ones are shown."""

FIGURES = ("iou", "fp", "fn")
MEANS = ("miou", "fp", "fn", "fp_all", "fn_all", "companion", "kept", "images")


def stage_figures(stage: str, folder: Path) -> Items:
    """Return the figures that a stage left; nothing where it leaves none.

    Args:
        stage: its name; `row` for a measurement.
        folder: of the finished stage.
    """
    if stage == "wsss-labels" and (sweep := folder / "sweep.json").is_file():  # of what has truth
        return sweep_items(read_json(sweep))
    if stage == "debias-centroids":
        return selection_items(read_json(folder / "selection.json")) | candidate_items(folder / CANDIDATES)
    if stage in DEBIASED:
        return removed_items(read_json(folder / "removed.json"))
    return row_items(read_json(folder / "row.json")) if stage == "row" else {}


def sweep_items(sweep: Mapping[str, Any]) -> Items:
    """Show mIoU, FP and FN of the labels Yᵇ over the background score."""
    return {"sweep": Curve("background", sweep.get("scores") or ())}


def candidate_items(path: Path) -> Items:
    """Show the distances of the candidates class by class, and some of them as a table."""
    found = read_candidates(path)
    items: Items = {
        f"distance/{name}": Histogram(distances.tolist())
        for index, name in enumerate(found.class_names)
        if len(distances := found.distances[found.classes == index])
    }
    fields = ("image_id", "class_name", "pixels", "distance", "selected", "iou", "kind")
    sample = spread_candidates(path, len(found.classes), MOST_CANDIDATES)
    return items | {"candidates_table": Table(fields, [[getattr(one, name) for name in fields] for one in sample])}


def selection_items(selection: Mapping[str, Any]) -> Items:
    """Show how many candidates there are, and how many of them lie on their target."""
    items: Items = {key: value for key, value in selection.items() if _is_figure(value)}
    for key in ("target_share", "target_share_before"):
        items |= _by_class(key, selection.get(key) or {})
    columns = ("class", "candidates", "selected", "target_share_before", "target_share")
    sources = ("candidates_per_class", "selected_per_class", "target_share_before", "target_share")
    counted = selection.get("candidates_per_class") or {}
    rows = [[name, *((selection.get(key) or {}).get(name) for key in sources)] for name in counted]
    return items | {"classes": Table(columns, rows)}


def removed_items(summary: Mapping[str, Any]) -> Items:
    """Show which share of each class's pixels was removed as biased."""
    shares = summary.get("removed") or {}
    pixels, gone = summary.get("pixels") or {}, summary.get("pixels_removed") or {}
    rows = [[name, pixels.get(name), gone.get(name), share] for name, share in shares.items()]
    table = Table(("class", "pixels", "pixels_removed", "removed"), rows)
    return {**_by_class("removed", shares), "removed_table": table}


def row_items(row: Mapping[str, Any]) -> Items:
    """Show mIoU, FP and FN of labels or masks, and the same of each class."""
    items: Items = {name: row[name] for name in MEANS if _is_figure(row.get(name))}
    for name in FIGURES:
        figures = {cls: (values or {}).get(name) for cls, values in (row.get("per_class") or {}).items()}
        items |= _by_class(name, figures)
    return items | {"per_class": rows_table({"": row})}


def rows_table(rows: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return IoU, FP and FN of each class in each row as one table; rows without a name need no column for it."""
    columns = ("class", *FIGURES, "companion", "kept")
    named = any(rows)
    table = [
        [*([name] * named), cls, *((figures or {}).get(key) for key in columns[1:])]
        for name, row in rows.items()
        for cls, figures in (row.get("per_class") or {}).items()
    ]
    return Table((*["row"] * named, *columns), table)


def csv_rows(path: Path) -> list[dict[str, float]]:
    """Return the lines of a fit's ``metrics.csv``, each with the figures that stand in it."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = [{name: _number(text) for name, text in line.items() if name} for line in csv.DictReader(file)]
    return [{name: value for name, value in line.items() if value is not None} for line in lines]


def evenly(values: Sequence[Any], most: int) -> list[Any]:
    """Return all values, or so many of them evenly spaced."""
    if len(values) <= most:
        return list(values)
    return [values[index * len(values) // most] for index in range(most)]


def _by_class(name: str, figures: Mapping[str, float | None]) -> Items:
    return {f"{name}/{cls}": value for cls, value in figures.items() if value is not None}


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
