"""`mars methods RUN …`: before and after MARS under each WSSS and USS method, a run a pair (Tables 4 and 5)."""

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
from mars_pl.commands.metrics_table import fraction, percent, provenance
from mars_pl.commands.report.run import Metrics, read_metrics
from mars_pl.commands.row_names import RowName, row_name
from mars_pl.pipeline.choices import Choices

ROWS = {
    "pseudo": "Yᵇ",
    "pseudo-baseline": "Yᵇ base",
    "debiased": "Yᵈᵇ",
    "baseline": "baseline",
    "adele": "+ ADELE",
    "final": "MARS",
}
"""What is shown of each choice, by the names of its rows."""

PAIRS = {"labels": ("pseudo", "debiased"), "networks": ("baseline", "final")}
"""What MARS is held against: FP is to fall from the first to the second, and mIoU to rise."""

CHOSEN = ("wsss", "uss")
IN_COMMON = ("segmenter", "train", "mixing", "rounds", "seed")

NAMES = {"rsepm": "rsepm (our reconstruction)"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns 0."""
    arguments = parser().parse_args(argv)
    methods = read_methods(arguments.runs)
    if arguments.json:
        write_json(arguments.json, methods)
    console = terminal()
    console.print(methods_table(methods))
    for line in (*_circumstances(methods), *verdicts(methods)):
        console.print(Text(line))
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    about = "The labels and networks before and after MARS, under each WSSS and USS method."
    reader = argparse.ArgumentParser(prog="mars methods", description=about)
    words = "runs of the same data, one per pair of methods: folders, or names under runs/"
    reader.add_argument("runs", metavar="RUN", nargs="+", help=words)
    reader.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    return reader


def read_methods(names: Sequence[str]) -> list[Metrics]:
    """Return the metrics of runs, each of its own pair of methods.

    Raises:
        DataError: where there is no such run, it does not say what it measured, or they are of other data or trainings.
    """
    found = [read_metrics(name) for name in names]
    for folder, metrics in found:
        if not metrics.get("choices"):
            raise DataError(f"{folder}: does not say which methods it measured; `mars run methods …` measures them")
        for choice, value in _shared(metrics).items():
            other = _shared(found[0][1]).get(choice)
            if value != other:
                first = found[0][0].name
                raise DataError(f"{folder}: {choice} is {value}, unlike {first} ({other}); compare runs that share it")
    return [metrics for _, metrics in found]


def _shared(metrics: Metrics) -> dict[str, Any]:
    """Return what all choices of one table have in common; an older run has no word for what came since."""
    chosen = metrics["choices"]
    return {"data": metrics["data"]} | {key: chosen.get(key, getattr(Choices, key)) for key in IN_COMMON}


def methods_table(methods: Sequence[Metrics]) -> Table:
    """Return the table for the terminal: a line for each choice and row."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("WSSS", "USS", ""):
        table.add_column(heading, no_wrap=True)
    for heading in ("mIoU %", "FP", "FN", "companion", "kept"):
        table.add_column(heading, justify="right", no_wrap=True)
    for metrics in methods:
        choices = [NAMES.get(metrics["choices"][key], metrics["choices"][key]) for key in CHOSEN]
        for name, words in _rows(methods).items():
            row = metrics["rows"].get(name)
            if row:
                numbers = [fraction(row.get(field)) for field in ("fp", "fn", "companion", "kept")]
                style = "bold" if row_name(name).plain in ("debiased", "final") else ""
                table.add_row(*choices, Text(words, style=style), percent(row.get("miou")), *numbers)
                choices = ["", ""]
        table.add_section()
    return table


def verdicts(methods: Sequence[Metrics]) -> list[str]:
    """Return, for labels and networks, under how many choices FP falls and mIoU rises, and each under which not."""
    lines = []
    later = {
        f"networks, round {number}": tuple(str(RowName(name, number)) for name in PAIRS["networks"])
        for number in _later(methods)
    }
    for words, (before, after) in (PAIRS | later).items():
        measured = [metrics for metrics in methods if metrics["rows"].get(before) and metrics["rows"].get(after)]
        failed = [metrics for metrics in measured if not _better(metrics["rows"][before], metrics["rows"][after])]
        line = f"{words}: FP falls and mIoU rises under {len(measured) - len(failed)} of {len(measured)} choices"
        names = (" + ".join(metrics["choices"][key] for key in CHOSEN) for metrics in failed)
        lines.append(f"{line}; not under {', '.join(names)}" if failed else line)
    return lines


def _later(methods: Sequence[Metrics]) -> range:
    """The numbers of the rounds that come after the first."""
    return range(2, 1 + max(metrics["choices"].get("rounds") or 1 for metrics in methods))


def _rows(methods: Sequence[Metrics]) -> dict[str, str]:
    """What is shown of each choice, with the networks of later rounds."""
    later = [(name, number) for number in _later(methods) for name in PAIRS["networks"]]
    return ROWS | {str(RowName(name, number)): f"{ROWS[name]}, round {number}" for name, number in later}


def _better(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool(after["fp"] < before["fp"] and after["miou"] > before["miou"])


def _circumstances(methods: Sequence[Metrics]) -> list[str]:
    """Say once how each row was measured; more than one way is said too."""
    lines = []
    for name, words in _rows(methods).items():
        ways = dict.fromkeys(provenance(row) for metrics in methods if (row := metrics["rows"].get(name)))
        if ways:
            lines.append(f"{words}: {' or '.join(ways)}")
    return lines
