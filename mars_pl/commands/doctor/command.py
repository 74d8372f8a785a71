"""``mars doctor``: what this machine offers, and what to do about what it lacks."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from datamodules.terminal import terminal
from mars_pl.commands.doctor.machine_rows import PACKAGES, machine_rows
from mars_pl.version import running_version


def main(argv: Sequence[str]) -> int:
    """Print a row each; returns 1 where a package is missing without which no stage runs.

    Args:
        argv: the words after ``mars doctor``.
    """
    reader = parser()
    folder = reader.parse_args(argv).folder
    if not folder.is_dir():
        reader.error(f"{folder}: no such folder")
    rows = list(machine_rows(folder))
    table = Table("mars-pl", running_version(), "what to do", box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(row.what, Text(row.found), Text(row.remedy))
    terminal().print(table)
    return int(any(row.what in PACKAGES and row.remedy for row in rows))


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    about = "Looks this machine over: packages, processors, memory, weights, disk."
    reader = argparse.ArgumentParser(prog="mars doctor", description=about)
    reader.add_argument("folder", type=Path, nargs="?", default=Path(), help="where runs will be made (default: here)")
    return reader
