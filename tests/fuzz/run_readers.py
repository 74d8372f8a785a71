"""Readers of what a run leaves: every file that its report, its gap and its methods table are made of, its journals."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from rich.console import Console

from callbacks.writing.journal import Done, Journal, read_journals
from mars_pl.commands.gap.command import gap_table, gaps
from mars_pl.commands.methods.command import methods_table, read_methods, verdicts
from mars_pl.commands.report.command import print_numbers
from mars_pl.commands.report.images.data import page_images
from mars_pl.commands.report.images.sets import image_sets
from mars_pl.commands.report.page import page
from mars_pl.commands.report.run import merge, open_run, write_metrics
from tests.fakes.fake_run import make_run
from tests.fuzz.reader import Reader

FILES = {
    "report run.json": "run.json",
    "report row": "rows/pseudo.json",
    "report network's row": "rows/final.json",
    "report selection": "debias-centroids/selection.json",
    "report seconds": "segment/seconds.json",
    "report sweep": "wsss-labels/sweep.json",
    "report removed": "debias-labels/removed.json",
    "report table": "debias-centroids/candidates.parquet",
    "report command": "wsss-classifier/stage.json",
}
"""By the name of a reader, the file of the run that is damaged; all others are whole."""


@cache
def _run() -> Path:
    return make_run(Path(tempfile.mkdtemp()), images=1)


def _report(path: Path, place: str) -> None:
    """Make the whole report, without pictures, of a run one of whose files is the one given."""
    folder, damaged = path.parents[len(Path(place).parts) - 1], path.read_bytes()
    shutil.copytree(_run(), folder, dirs_exist_ok=True)
    path.write_bytes(damaged)
    run = open_run(str(folder))
    metrics = merge(run)
    write_metrics(run, metrics)
    print_numbers(Console(file=io.StringIO(), markup=False), run, metrics)
    page(run, metrics, page_images(image_sets(run), run.folder / "report_files", 0, 0)).encode()


def _figures() -> bytes:
    return json.dumps(merge(open_run(str(_run())))).encode()


def _tables(path: Path) -> None:
    """Make the tables of a run of which only its figures came from another machine."""
    console = Console(file=io.StringIO(), markup=False)
    console.print(gap_table(gaps([str(path.parent)])))
    methods = read_methods([str(path.parent)])
    console.print(methods_table(methods), *verdicts(methods))


def _journal() -> bytes:
    folder = Path(tempfile.mkdtemp())
    journal = Journal(folder, 0)
    journal.append(Done("a", 0, {"counts": np.arange(4)}))
    journal.append(Done("b", 1, None))
    journal.close()
    return next(folder.iterdir()).read_bytes()


def _read_journal(path: Path) -> None:
    assert {done.id for done in read_journals(path.parent)} <= {"a", "b"}


def _of_file(place: str) -> Reader:
    make: Callable[[], bytes] = lambda: (_run() / place).read_bytes()  # noqa: E731
    return Reader(f"run/{place}", make, lambda path: _report(path, place))


RUN_READERS = {name: _of_file(place) for name, place in FILES.items()} | {
    "metrics.json": Reader("metrics.json", _figures, _tables),
    "journal": Reader(".done-0.jsonl", _journal, _read_journal),
}
