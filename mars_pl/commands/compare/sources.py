"""What is compared: runs with their stages, or the `metrics.json` of runs that are elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from mars_pl.commands.report.run import Metrics, Run, merge, open_run
from mars_pl.commands.report.shapes import METRICS, read_figures


@dataclass(frozen=True)
class Source:
    """One of the runs.

    Attributes:
        name: what it is called in tables.
        metrics: its numbers.
        run: itself, with its images; None of numbers alone.
    """

    name: str
    metrics: Metrics
    run: Run | None = None

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows that were measured."""
        return {name: row for name, row in self.metrics["rows"].items() if row}


def read_sources(arguments: Sequence[str]) -> list[Source]:
    """Read what is compared, in the order it was named; two of one name are told apart by where they lie.

    Args:
        arguments: run folders, names under `runs/`, or `metrics.json` files.

    Raises:
        DataError: where one is missing or damaged, is named twice, or they are fewer than two.
    """
    if len(arguments) < 2:
        raise DataError(f"{' '.join(arguments) or 'nothing'}: a comparison wants two runs and more; name another")
    found = [_source(argument) for argument in arguments]
    counts = Counter(source.name for source in found)
    named = [
        replace(source, name=argument) if counts[source.name] > 1 else source
        for source, argument in zip(found, arguments, strict=True)
    ]
    twice = [name for name, count in Counter(source.name for source in named).items() if count > 1]
    if twice:
        raise DataError(f"{twice[0]}: named twice; name each run once")
    return named


def _source(argument: str) -> Source:
    path = Path(argument)
    alone = path if path.is_file() else path / "metrics.json"
    if path.is_file() or (alone.is_file() and not (path / "run.json").is_file()):
        metrics = read_figures(alone, METRICS, "`mars report RUN` writes such a file")
        name = alone.resolve().parent.name if alone.name == "metrics.json" else alone.stem
        return Source(name, {"data": None, "seed": None, "choices": None} | metrics)
    run = open_run(argument)
    return Source(run.name, merge(run), run)
