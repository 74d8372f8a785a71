"""The tables of `make bench`; names of subjects on the command line choose some of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from datamodules.terminal import terminal
from tests.benchmarks import candidates, image_labels, labels
from tests.benchmarks.measure import REPEATS
from tests.benchmarks.ratios import RATIOS, SUBJECTS

ONE_CORE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main(names: list[str]) -> int:
    """Measure each subject in a process of its own and print the tables; returns how many failed."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for heading in ("seconds", "core seconds", "peak MiB", "of it by the call"):
        table.add_column(heading, justify="right", no_wrap=True)
    load, console = os.getloadavg()[0], terminal()
    found = {name: measured(name) for name in names or SUBJECTS}
    for name, numbers in found.items():
        words = (SUBJECTS[name].__doc__ or "").strip()
        if isinstance(numbers, str):
            table.add_row(words, numbers, style="red")
            continue
        memory = ("–" if numbers[key] is None else f"{numbers[key]:,.0f}" for key in ("peak", "more"))
        table.add_row(words, f"{numbers['wall']:.3f}", f"{numbers['core']:.3f}", *memory)
    console.print(table)
    _print_ratios(console, found)
    console.print(
        f"one core of {os.cpu_count()}, median of {REPEATS}; load average before: {load:.1f}", highlight=False
    )
    return sum(isinstance(numbers, str) for numbers in found.values())


def measured(name: str) -> dict[str, Any] | str:
    """Return the numbers of a subject, or what its process ended with."""
    command = [sys.executable, "-m", "tests.benchmarks.measure", name]
    done = subprocess.run(command, env=os.environ | ONE_CORE, capture_output=True, text=True)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1]
    numbers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return numbers


def _print_ratios(console: Console, found: dict[str, dict[str, Any] | str]) -> None:
    """Print of each comparison how many times the core seconds of the one are in those of the other."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("core seconds", "first", "against", "times"):
        table.add_column(heading, justify="left" if heading == "core seconds" else "right")
    for ratio in RATIOS:
        ours, other = found.get(ratio.ours), found.get(ratio.literal)
        if isinstance(ours, dict) and isinstance(other, dict):
            seconds = (ours["core"], other["core"])
            table.add_row(ratio.what, *(f"{one:.3f}" for one in seconds), f"{seconds[1] / seconds[0]:.2f}")
    if table.rows:
        console.print(table)


if __name__ == "__main__":
    of_sizes = {"candidates": candidates.main, "image_labels": image_labels.main, "labels": labels.main}
    chosen = of_sizes.get(next(iter(sys.argv[1:]), ""))
    sys.exit(main(sys.argv[1:]) if chosen is None else chosen(sys.argv[2:]))
