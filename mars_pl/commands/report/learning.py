"""The curves of a run's fits, read from their `metrics.csv`: losses, and the figures that rise."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from datamodules.errors import DataError
from mars_pl.commands.report.charts import curves
from mars_pl.commands.report.run import Run

LOG = "metrics.csv"

_LONGEST = 200
"""Points of a curve that are drawn: more than a screen shows are thinned out."""

_STYLES = ("after", "third", "before", "biased", "between")


class Curve(NamedTuple):
    """One column of a log: steps, and a value at each."""

    name: str
    steps: list[float]
    values: list[float]


def read_log(path: Path) -> list[Curve]:
    """Read the columns of a fit's log that hold a loss or a score; what is no number is left out.

    Raises:
        DataError: where the file is no table with a column `step`.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                step = float(row["step"])
                for name, text in row.items():
                    value = float(text) if isinstance(name, str) and _is_shown(name) and text else math.nan
                    if math.isfinite(value):
                        steps, values = found.setdefault(name, ([], []))
                        steps.append(step)
                        values.append(value)
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise DataError(f"{path}: is no log of a fit ({error!r}); remove it or run its stage again") from None
    return [Curve(name, *_thinned(*columns)) for name, columns in found.items()]


def learning(run: Run) -> list[dict[str, Any]]:
    """Return for each fit of a run its charts: the losses, and mIoU or mean average precision."""
    charts = []
    for stage, folder in run.stage_folders().items():
        if not (folder / LOG).is_file():
            continue
        log = read_log(folder / LOG)
        losses = [curve for curve in log if _is_loss(curve.name)]
        scores = [curve for curve in log if not _is_loss(curve.name)]
        for words, group, fractions in (("loss", losses, False), ("score, %", scores, True)):
            if group:
                charts.append({"stage": stage, "words": words, "svg": _chart(group, fractions)})
    return charts


def _chart(group: list[Curve], fractions: bool) -> Markup:
    at = sorted({step for curve in group for step in curve.steps})
    series = []
    for index, curve in enumerate(group[: len(_STYLES)]):
        value = dict(zip(curve.steps, curve.values, strict=True))
        name = curve.name.removeprefix("train/").removeprefix("val/").replace("mean_average_precision", "mAP")
        series.append((name, _STYLES[index], [value.get(step) for step in at]))
    return curves(at, series, axis="step", fractions=fractions)


def _is_shown(name: str) -> bool:
    return _is_loss(name) or name.rsplit("/", 1)[-1] in ("miou", "mean_average_precision")


def _is_loss(name: str) -> bool:
    return name.rsplit("/", 1)[-1].split("_")[0] == "loss"


def _thinned(steps: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """Every so-manyth point, and the last."""
    stride = math.ceil(len(steps) / _LONGEST)
    return (steps, values) if stride <= 1 else (steps[:-1:stride] + steps[-1:], values[:-1:stride] + values[-1:])
