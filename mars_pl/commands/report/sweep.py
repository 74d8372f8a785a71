"""The sweeps of a run, as `mars sweep` left them: over α, K_bg and other settings of the debiasing (Fig. 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mars_pl.commands.report.run import Run
from mars_pl.commands.report.shapes import SWEEPS, read_figures

SWEEP_FILE = "sweep.json"

SweepTold = dict[str, Any]
"""One sweep in the file: `of`, `settings`, `rows`, `start` and `points`."""

SYMBOLS = {"alpha": "α", "background_clusters": "K_bg", "foreground_clusters": "K_fg", "gamma": "γ"}
"""Settings that the paper names by a letter."""

MOST = 5
"""Curves of one chart; of more, those of the first, the middle and the last values are drawn."""


class SweptCurve(NamedTuple):
    """One curve over one setting, the others fixed.

    Attributes:
        name: what is fixed, ``α .4``; empty where nothing else was swept.
        at: values of the setting, rising.
        values: of the figure; None where it was not measured.
    """

    name: str
    at: tuple[float, ...]
    values: tuple[float | None, ...]


class SweptChart(NamedTuple):
    """The curves of one row's figure over one setting.

    Attributes:
        setting: its name.
        row: `debiased` or `final`.
        curves: one for each value of the others.
        start: the figure that the run starts from: Yᵇ's, or the baseline's.
        about: the row, for its circumstances.
    """

    setting: str
    row: str
    curves: tuple[SweptCurve, ...]
    start: float | None
    about: Mapping[str, Any]


def made_of(run: Run) -> str:
    """Return what the run's debiased labels are known by: the name of their stage's folder."""
    folder = run.stage("debias-labels")
    return "" if folder is None else folder.resolve().name


def read_sweeps(run: Run) -> list[SweepTold]:
    """Return the sweeps of a run, of whatever labels; none where nothing was swept.

    Raises:
        DataError: where the file is damaged.
    """
    path = run.folder / SWEEP_FILE
    return read_figures(path, SWEEPS, "delete it; `mars sweep` writes it again")["sweeps"] if path.is_file() else []


def swept_charts(run: Run, figure: str = "miou") -> list[SweptChart]:
    """Return a chart for each row and each setting with two numbers and more, of the labels that the run has now."""
    charts = []
    for sweep in read_sweeps(run):
        if sweep["of"] != made_of(run):
            continue
        numeric = [name for name, values in sweep["settings"].items() if _is_line(values)]
        for row, about in sweep["rows"].items():
            start = (sweep["start"].get(row) or {}).get(figure)
            charts += [SweptChart(name, row, _curves(sweep, name, row, figure), start, about) for name in numeric]
    return charts


def _is_line(values: Sequence[Any]) -> bool:
    return len(values) > 1 and all(isinstance(value, int | float) for value in values)


def _curves(sweep: Mapping[str, Any], setting: str, row: str, figure: str) -> tuple[SweptCurve, ...]:
    groups: dict[str, list[tuple[float, float | None]]] = {}
    for point in sweep["points"]:
        fixed = [
            f"{SYMBOLS.get(name, name)} {said(value)}" for name, value in point["settings"].items() if name != setting
        ]
        value = (point.get(row) or {}).get(figure)
        groups.setdefault(", ".join(fixed), []).append((point["settings"][setting], value))
    curves = [SweptCurve(name, *zip(*sorted(line), strict=True)) for name, line in groups.items()]
    if len(curves) > MOST:
        curves = [curves[0], curves[len(curves) // 2], curves[-1]]
    return tuple(curves)


def said(value: Any) -> str:
    """Return a setting's value for people: .4, 2, centroids_minimum."""
    return f"{value:g}".removeprefix("0") if isinstance(value, float) and 0 < value < 1 else f"{value}"


def table_lines(sweep: Mapping[str, Any]) -> list[tuple[list[str], Mapping[str, Any]]]:
    """Return the points of a sweep: the words of its settings, and the point."""
    return [([said(value) for value in point["settings"].values()], point) for point in sweep["points"]]
