"""What the points of a sweep came to: read from their stages, printed, and kept in the run's folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from datamodules.files.whole_file import whole_file
from mars_pl.commands.durations import duration
from mars_pl.commands.json_files import write_json
from mars_pl.commands.metrics_table import fraction, percent
from mars_pl.commands.report.run import Run
from mars_pl.commands.report.shapes import ROW, SECONDS, SELECTION, read_figures
from mars_pl.commands.report.sweep import SWEEP_FILE, SweepTold, made_of, read_sweeps
from mars_pl.commands.sweep.grid import Grid
from mars_pl.commands.sweep.plan import Plan, PointStages
from mars_pl.pipeline.execution.places import SECONDS as SECONDS_FILE
from mars_pl.pipeline.execution.places import Places

FIGURES = ("miou", "fp", "fn", "companion", "kept")
"""Of a row."""

TABLE = "sweep.csv"


def sweep_results(run: Run, grid: Grid, plan: Plan, places: Places) -> SweepTold:
    """Read what all points came to.

    Returns:
        What one sweep says in `sweep.json`: whose labels were swept, over what, the circumstances of each row, the
        figures that the run itself starts from, and of each point its settings, target share, rows and seconds.
    """
    points = [_point(one, places) for one in plan.points]
    rows = {
        name: read_figures(places.of(stage).folder / "row.json", ROW) for name, stage in plan.points[0].rows.items()
    }
    measured = run.measured_rows()
    starts = {"debiased": "pseudo", "final": "baseline"}
    return {
        "of": made_of(run),
        "settings": {name: list(values) for name, values in grid.items()},
        "rows": {name: {key: value for key, value in row.items() if key != "per_class"} for name, row in rows.items()},
        "start": {name: {key: (measured.get(starts[name]) or {}).get(key) for key in FIGURES} for name in rows},
        "points": points,
    }


def _point(one: PointStages, places: Places) -> dict[str, Any]:
    selection = read_figures(places.of(one.own["debias-centroids"]).folder / "selection.json", SELECTION)
    shares = {key: (selection.get(key) or {}).get("all") for key in ("target_share", "target_share_before")}
    found: dict[str, Any] = {"settings": dict(one.point.settings)} | shares
    for name, stage in one.rows.items():
        row = read_figures(places.of(stage).folder / "row.json", ROW)
        found[name] = {key: row.get(key) for key in FIGURES}
    folders = {name: places.of(stage).folder for name, stage in one.own.items()}
    seconds = {name: read_figures(folder / SECONDS_FILE, SECONDS) for name, folder in folders.items()}
    return found | {"seconds": {name: sum(each.values()) for name, each in seconds.items()}}


def write_sweep(run: Run, sweep: SweepTold) -> tuple[Path, Path]:
    """Add a sweep to the run's `sweep.json` and write all of them as `sweep.csv`; return both paths.

    It takes the place of one over the same settings; those of other labels than the run has now go.
    """
    kept = [one for one in read_sweeps(run) if one["of"] == sweep["of"] and {*one["settings"]} != {*sweep["settings"]}]
    sweeps = [*kept, sweep]
    path, table = run.folder / SWEEP_FILE, run.folder / TABLE
    write_json(path, {"sweeps": sweeps})
    names = list(dict.fromkeys(name for one in sweeps for name in one["settings"]))
    figures = [
        (row, figure) for row in dict.fromkeys(row for one in sweeps for row in one["rows"]) for figure in FIGURES
    ]
    with whole_file(table) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        heads = ["target_share", *(f"{row}/{figure}" for row, figure in figures), "seconds"]
        writer.writerow([*names, *heads])
        for point in (point for one in sweeps for point in one["points"]):
            cells = [point["settings"].get(name) for name in names]
            cells += [point["target_share"], *((point.get(row) or {}).get(figure) for row, figure in figures)]
            writer.writerow([*cells, round(sum(point["seconds"].values()), 1)])
    return path, table


def sweep_table(sweep: Mapping[str, Any]) -> Table:
    """Return a sweep as a table for the terminal: a line a point, the best mIoU of each row in bold."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    rows = list(sweep["rows"])
    for name in sweep["settings"]:
        table.add_column(name.rpartition(".")[2].replace("_", "\n"), justify="right", no_wrap=True)
    heads = ["targets\n%", *(f"{name}\n{words}" for name in rows for words in ("mIoU %", "FP", "FN")), "time"]
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    start = [cell for name in rows for cell in _cells(sweep["start"].get(name) or {}, None)]
    table.add_row(*["–"] * (len(sweep["settings"]) - 1), "start", "", *start, "", style="dim")
    table.add_section()
    best = {name: _highest(sweep["points"], name) for name in rows}
    for point in sweep["points"]:
        cells = [cell for name in rows for cell in _cells(point[name], best[name])]
        settings = [f"{value:g}" if isinstance(value, float) else str(value) for value in point["settings"].values()]
        table.add_row(*settings, percent(point["target_share"]), *cells, duration(sum(point["seconds"].values())))
    return table


def _highest(points: Sequence[Mapping[str, Any]], row: str) -> float | None:
    return max((point[row]["miou"] for point in points if point[row]["miou"] is not None), default=None)


def _cells(figures: Mapping[str, Any], best: float | None) -> list[str | Text]:
    miou = figures.get("miou")
    words = percent(miou)
    first = Text(words, style="bold" if miou is not None and miou == best else "")
    return [first, fraction(figures.get("fp")), fraction(figures.get("fn"))]
