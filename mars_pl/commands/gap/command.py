"""`mars gap RUN …`: how much of the gap to full supervision MARS closes, seed by seed (Table 5's bracket)."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from datamodules.errors import DataError
from datamodules.terminal import terminal
from mars_pl.commands.json_files import write_json
from mars_pl.commands.metrics_table import DASH, percent, provenance, title
from mars_pl.commands.report.gap import gap, unlike
from mars_pl.commands.report.run import read_metrics
from mars_pl.commands.row_names import last_round, row_name

FIELDS = ("baseline", "mars", "supervised", "closed")

_NOT_MEASURED = f"{DASH}: not measured, or the three were not measured alike; `mars report RUN` says which"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns 0."""
    arguments = parser().parse_args(argv)
    table = gaps(arguments.runs, arguments.row)
    if arguments.json:
        write_json(arguments.json, table)
    console = terminal()
    console.print(gap_table(table))
    for line in filter(None, (table["about"], "" if table["mean"]["closed"] is not None else _NOT_MEASURED)):
        console.print(Text(line))
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    about = "The share of the gap to full supervision that MARS closes."
    reader = argparse.ArgumentParser(prog="mars gap", description=about)
    words = "runs of the same data, one per seed: folders, or names under runs/"
    reader.add_argument("runs", metavar="RUN", nargs="+", help=words)
    reader.add_argument("--row", metavar="ROW", help="training that is compared (default: final, its last round)")
    reader.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    return reader


def gaps(names: Sequence[str], row: str | None = None) -> dict[str, Any]:
    """Return the gap of each run, and of each seed of the segmenter within it, and the means over all of them.

    A mean is taken over all or not at all: one that was not measured leaves it None.

    Args:
        names: runs of the same data.
        row: the training that is compared with baseline and full supervision; None is MARS, by its last round.

    Raises:
        DataError: where the runs are not of the same data, split and images, were measured in different ways, or one is
            named twice.
    """
    entries: list[dict[str, Any]] = []
    about: dict[str, Any] = {}
    for name in names:
        folder, metrics = read_metrics(name)
        if any(folder.resolve().name == entry["run"] for entry in entries):
            raise DataError(f"{name}: named twice; a mean over seeds takes each run once")
        rows = metrics["rows"]
        row = row or last_round(rows)
        measured: dict[str, Any] = rows.get(row) or rows["baseline"] or {}
        same = {"data": metrics["data"], "split": measured.get("split"), "images": measured.get("images")}
        for key in [key for key in same if about and same[key] != about[key]]:
            first, here = f"{entries[0]['run']} ({about[key]})", f"{folder / 'metrics.json'}: {key} is {same[key]}"
            raise DataError(f"{here}, unlike {first}; compare runs of the same data")
        about = about or same | {"row": measured, "provenance": provenance(measured) if measured else ""}
        if different := unlike({"first": about["row"], "here": measured}, ("first", "here")):
            ways = f"{', '.join(different)} unlike {entries[0]['run']}"
            raise DataError(f"{folder / 'metrics.json'}: measured with {ways}; compare figures that were taken alike")
        for seed in _segment_seeds(rows):
            suffix = "" if seed is None else f"-seed{seed}"
            numbers = gap(rows, [f"{part}{suffix}" for part in ("baseline", row, "supervised")])
            seeds = {"seed": metrics.get("seed"), "segment_seed": metrics.get("seed") if seed is None else seed}
            entries.append({"run": folder.resolve().name} | seeds | numbers)
    means = {field: _mean([entry[field] for entry in entries]) for field in FIELDS}
    return {"row": row, "about": about["provenance"], "runs": entries, "mean": means, "seeds": len(entries)}


def _segment_seeds(rows: Mapping[str, Any]) -> list[int | None]:
    """Seeds of the segmenter with rows of their own, `baseline-seed1`; None is the run's own seed."""
    return [None, *sorted({row.seed for row in map(row_name, rows) if row.seed is not None})]


def gap_table(table: Mapping[str, Any]) -> Table:
    """Return the gaps as a table for the terminal: a row a seed, the mean last."""
    rich = Table(box=SIMPLE_HEAD, pad_edge=False)
    rich.add_column("run", overflow="fold")  # a run's name holds every choice: it gives way, no figure does
    rich.add_column("seed", no_wrap=True)
    for heading in ("baseline", title(table["row"]).replace(" network", ""), "full supervision", "gap closed"):
        rich.add_column(heading, justify="right", no_wrap=True)
    said = ""
    for entry in table["runs"]:
        own, trained = entry["seed"], entry["segment_seed"]
        seeds = DASH if own is None else str(own) if own == trained else f"{own}, segmenter {trained}"
        rich.add_row(Text(entry["run"]) if entry["run"] != said else "", seeds, *_cells(entry))
        said = entry["run"]
    rich.add_section()
    count = table["seeds"]
    rich.add_row("mean", f"over {count} seed" + "s" * (count != 1), *_cells(table["mean"]), style="bold")
    return rich


def _cells(numbers: Mapping[str, float | None]) -> list[str]:
    closed = numbers["closed"]
    return [*[percent(numbers[field]) for field in FIELDS[:3]], DASH if closed is None else f"{percent(closed, 0)} %"]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None
