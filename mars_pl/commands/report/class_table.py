"""IoU, FP and FN class by class: as bars (Fig. 1(b) and Fig. 9) and as a table that sorts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mars_pl.commands.metrics_table import provenance
from mars_pl.commands.report.gap import gap_rows

FIELDS = {"iou": "IoU", "fp": "FP", "fn": "FN"}
"""Figures of a class, by their names in a row."""

Series = list[tuple[str, str, Any]]
"""(name, style class, row) of each row that is drawn beside the others."""


def bar_series(rows: Mapping[str, Any]) -> dict[str, Series]:
    """Return the rows whose bars stand together, of labels and of networks; the run's network is MARS' last round."""
    labels = ("pseudo", "debiased", "complemented")
    styles = ("before", "after", "third")
    return {
        subject: [(name, style, rows.get(name)) for name, style in zip(names, styles, strict=True)]
        for subject, names in (("labels", labels), ("networks", gap_rows(rows)))
    }


def class_table(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows that name their classes, and for each class its figures in all of them."""
    known = {name: row["per_class"] for name, row in rows.items() if row and row.get("per_class")}
    names = list(dict.fromkeys(name for per_class in known.values() for name in per_class))
    lines = [
        (name, [[(per_class.get(name) or {}).get(field) for per_class in known.values()] for field in FIELDS])
        for name in names
    ]
    return {"rows": list(known), "fields": list(FIELDS.values()), "classes": lines}


def class_bars(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return bars of the labels and of the networks: FP, FN and IoU of each class."""
    return [chart for field in ("fp", "fn", "iou") for chart in field_bars(rows, field)]


def field_bars(rows: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """Return one figure's bars of the labels and of the networks, where there are any."""
    charts = (bar_chart(field, subject, series) for subject, series in bar_series(rows).items())
    return [chart for chart in charts if chart]


def bar_chart(field: str, subject: str, series: Sequence[tuple[str, str, Any]]) -> dict[str, Any] | None:
    """Return one chart: a line a class, a bar a row; None where no row has such figures.

    Args:
        field: `iou`, `fp` or `fn`.
        subject: what the rows are about.
        series: (name, style class, row) of each; a row that was not measured is left out.
    """
    present = [(name, style, row) for name, style, row in series if (row or {}).get("per_class")]
    names = list(dict.fromkeys(key for _, _, row in present for key in row["per_class"]))
    if field != "iou":  # the background's FP are the objects' FN, it is no class with a companion
        names = [name for name in names if name != "background"]
    values = {
        name: [((row["per_class"].get(name) or {}).get(field), style) for _, style, row in present] for name in names
    }
    table = [(name, bars) for name, bars in values.items() if any(value is not None for value, _ in bars)]
    if not table:
        return None
    alike = {provenance(row) for _, _, row in present}
    longest = max(value for _, bars in table for value, _ in bars if value is not None)
    return {
        "field": FIELDS[field],
        "subject": subject,
        "legend": present,
        "shared": alike.pop() if len(alike) == 1 else "",
        "classes": table,
        "full": 1.0 if field == "iou" else longest or 1.0,
    }
