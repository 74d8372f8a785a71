"""IoU, FP and FN class by class: as bars (Fig. 1(b) and Fig. 9) and as a table that sorts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mars_pl.commands.metrics_table import last_round, provenance

FIELDS = {"iou": "IoU", "fp": "FP", "fn": "FN"}
"""Figures of a class, by their names in a row."""

LABEL_BARS = (("pseudo", "before"), ("debiased", "after"), ("complemented", "third"))
NETWORK_BARS = (("baseline", "before"), ("final", "after"), ("supervised", "third"))
"""Rows that are drawn beside one another, and the style of their bars."""


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
    networks = [(last_round(rows) if name == "final" else name, style) for name, style in NETWORK_BARS]
    subjects = (("labels", LABEL_BARS), ("networks", networks))
    charts = [
        chart
        for field in ("fp", "fn", "iou")
        for subject, series in subjects
        if (chart := bar_chart(field, subject, [(name, style, rows.get(name)) for name, style in series]))
    ]
    return charts


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
