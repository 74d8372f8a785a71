"""The share of the gap between baseline and full supervision that MARS closes: the bracket of Table 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mars_pl.commands.row_names import last_round

Row = dict[str, Any]

GAP_ROWS = ("baseline", "final", "supervised")
_SHARED = ("split", "images", "refinement", "network", "multi_scale", "scored")
_SHARED_WHERE_SAID = ("scales", "flip", "window", "resampling")  # rows of earlier versions do not say them


def gap_rows(rows: Mapping[str, Row | None]) -> tuple[str, str, str]:
    """Return the names of the rows that a run's gap lies between: its network is MARS' last round."""
    return GAP_ROWS[0], last_round(rows), GAP_ROWS[2]


def gap(rows: Mapping[str, Row | None], names: Sequence[str] | None = None) -> dict[str, float | None]:
    """Return the share of the gap between baseline and full supervision that MARS closes (Table 5's bracket).

    Args:
        rows: rows by name.
        names: those of the baseline, of MARS and of full supervision; None takes MARS by its last round.

    Returns:
        Three mIoU and `closed`: None where a row is missing, the three were not measured alike, or there is no gap.
    """
    names = names or gap_rows(rows)
    baseline, mars, supervised = (row["miou"] if row else None for row in map(rows.get, names))
    closed, alike = None, not unlike(rows, names)
    if baseline is not None and mars is not None and supervised is not None and alike and supervised > baseline:
        closed = (mars - baseline) / (supervised - baseline)
    return {"baseline": baseline, "mars": mars, "supervised": supervised, "closed": closed}


def unlike(rows: Mapping[str, Row | None], names: Sequence[str] | None = None) -> list[str]:
    """Return in what the measured ones of these rows differ: their gap would compare unlike things."""
    measured = [row for row in map(rows.get, names or gap_rows(rows)) if row]
    said = {field: [row[field] for row in measured if field in row] for field in _SHARED_WHERE_SAID}
    values = {field: [row.get(field) for row in measured] for field in _SHARED} | said
    return [field for field, of_rows in values.items() if any(value != of_rows[0] for value in of_rows)]
