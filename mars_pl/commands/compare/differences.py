"""Rows, classes and choices of several runs held side by side, and what they differ by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mars_pl.commands.compare.sources import Source
from mars_pl.commands.report.class_table import FIELDS, bar_chart, class_table
from mars_pl.commands.report.gap import unlike

FIGURES = ("miou", "fp", "fn", "companion", "kept")

STYLES = ("before", "after", "third", "biased", "between")
"""Of the runs' bars; they go round."""

DIFFERENCE = "difference"


class RunRow(NamedTuple):
    """One run's figures in a row, and each less the first run's; None where either was not measured."""

    run: str
    row: dict[str, Any] | None
    change: dict[str, float | None]


class Compared(NamedTuple):
    """A row of all runs, in their order, and in what their measuring differs from the first's."""

    name: str
    runs: list[RunRow]
    unlike: list[str]


def compared_rows(sources: Sequence[Source]) -> list[Compared]:
    """Return every row that a run has measured, in the order of the first run that has it."""
    names = list(dict.fromkeys(name for source in sources for name in source.metrics["rows"]))
    measured = [name for name in names if any(name in source.rows for source in sources)]
    return [_compared(name, sources) for name in measured]


def class_comparisons(sources: Sequence[Source]) -> list[dict[str, Any]]:
    """Return for each row that two runs and more have by class: bars of IoU, FP and FN (Fig. 9), and a table."""
    found = []
    for compared in compared_rows(sources):
        rows = {one.run: one.row for one in compared.runs if (one.row or {}).get("per_class")}
        if len(rows) < 2:
            continue
        series = [(run, STYLES[index % len(STYLES)], row) for index, (run, row) in enumerate(rows.items())]
        bars = [bar_chart(field, "classes", series) for field in FIELDS]
        table = class_table(rows)
        if len(rows) == 2:
            table["rows"].append(DIFFERENCE)
            for _, fields in table["classes"]:
                for values in fields:
                    values.append(_less(values[1], values[0]))
        found.append({"name": compared.name, "bars": [chart for chart in bars if chart], "table": table})
    return found


def differing_choices(sources: Sequence[Source]) -> list[tuple[str, list[str]]]:
    """Return the choices that are not the same in all runs, with what each run has chosen."""
    told = [{"data": source.metrics["data"], "seed": source.metrics["seed"]} | (source.metrics["choices"] or {})
            for source in sources]  # fmt: skip
    names = list(dict.fromkeys(name for choices in told for name in choices))
    values = {name: [str(choices.get(name, "")) for choices in told] for name in names}
    return [(name, of_runs) for name, of_runs in values.items() if len(set(of_runs)) > 1]


def _compared(name: str, sources: Sequence[Source]) -> Compared:
    rows = [source.rows.get(name) for source in sources]
    first = rows[0] or {}
    runs = []
    for source, row in zip(sources, rows, strict=True):
        change = {figure: _less((row or {}).get(figure), first.get(figure)) for figure in FIGURES}
        runs.append(RunRow(source.name, row, change if source is not sources[0] else dict.fromkeys(FIGURES)))
    measured = {str(index): row for index, row in enumerate(rows)}
    return Compared(name, runs, unlike(measured, list(measured)))


def _less(value: float | None, first: float | None) -> float | None:
    return None if value is None or first is None else value - first
