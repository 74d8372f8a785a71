"""`mars export candidates SOURCE TARGET`: the candidates of the centroids stage as CSV (paper §3.2)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from datamodules.errors import DataError
from mars_pl.commands.report.run import open_run


def main(argv: Sequence[str]) -> int:
    """Run the command; returns 0.

    Args:
        argv: the words after ``mars export candidates``.

    Raises:
        DataError: where there is no such table, or it cannot be read.
    """
    from callbacks.writing.candidates.table_file import write_csv  # not before there is work

    about = "The foreground candidates of the centroids stage as CSV: all columns but the vectors, classes by name."
    parser = argparse.ArgumentParser(prog="mars export candidates", description=about)
    words = "a run's folder or its name under runs/, a folder of the centroids stage, or its candidates.parquet"
    parser.add_argument("source", metavar="SOURCE", help=words)
    parser.add_argument("target", type=Path, metavar="TARGET", help="file to write, e.g. candidates.csv")
    options = parser.parse_args(argv)
    table = find_table(options.source)
    print(f"{options.target}: {write_csv(table, options.target)} candidates of {table}")
    return 0


def find_table(source: str) -> Path:
    """Return the table of candidates of a run, of a stage's folder, or itself.

    Raises:
        DataError: where it is a run without one, or nothing of all that.
    """
    from callbacks.writing.candidates.table_file import CANDIDATES, OLD_CANDIDATES

    path = Path(source)
    if path.is_file():
        return path
    if any((path / name).is_file() for name in (CANDIDATES, OLD_CANDIDATES)):
        return path / CANDIDATES
    table = open_run(source).candidates()
    if table is None:
        raise DataError(f"{source}: this run has no candidates yet; make its centroids stage")
    return table
