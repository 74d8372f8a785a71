"""The sweeps of a run, as `mars sweep` left them: over α, K_bg and other settings of the debiasing (Fig. 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from mars_pl.commands.metrics_table import title
from mars_pl.commands.report.charts import curves
from mars_pl.commands.report.run import Run
from mars_pl.commands.report.shapes import SWEEPS, read_figures

SWEEP_FILE = "sweep.json"

SweepTold = dict[str, Any]
"""One sweep in the file: `of`, `settings`, `rows`, `start` and `points`."""

SYMBOLS = {"alpha": "α", "background_clusters": "K_bg", "foreground_clusters": "K_fg", "gamma": "γ"}
"""Settings that the paper names by a letter."""

_STYLES = ("third", "before", "biased", "between", "target")

MOST = len(_STYLES)
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
    folder = run.stage(run.debiased_stage)
    return "" if folder is None else folder.resolve().name


def read_sweeps(run: Run) -> list[SweepTold]:
    """Return the sweeps of a run, of whatever labels; none where nothing was swept.

    Raises:
        DataError: where the file is damaged.
    """
    path = run.folder / SWEEP_FILE
    return read_figures(path, SWEEPS, "delete it; `mars sweep` writes it again")["sweeps"] if path.is_file() else []


def own_sweeps(run: Run) -> list[SweepTold]:
    """Return the sweeps of the labels that the run has now; raises DataError as `read_sweeps` does."""
    return [sweep for sweep in read_sweeps(run) if sweep["of"] == made_of(run)]


def swept_charts(sweep: Mapping[str, Any], figure: str = "miou") -> list[SweptChart]:
    """Return a chart for each row and each setting with two numbers and more.

    Args:
        sweep: one of them.
        figure: `miou`, `fp`, `fn`, `companion` or `kept`.
    """
    charts = []
    for row, about in sweep["rows"].items():
        start = (sweep["start"].get(row) or {}).get(figure)
        numeric = [name for name, values in sweep["settings"].items() if _is_line(values)]
        charts += [SweptChart(name, row, _curves(sweep, name, row, figure), start, about) for name in numeric]
    return charts


def swept_panels(sweep: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a sweep: a chart a setting, and a line a point."""
    panels = [
        {"title": f"{title(chart.row)} over {symbol(chart.setting)}", "about": chart.about, "svg": _drawn(chart)}
        for chart in swept_charts(sweep)
    ]
    names = [symbol(name) for name in sweep["settings"]]
    points = [
        {
            "settings": [said(value) for value in point["settings"].values()],
            "target_share": point.get("target_share"),
            "rows": [[(point.get(row) or {}).get(figure) for figure in ("miou", "fp", "fn")] for row in sweep["rows"]],
            "seconds": sum(point["seconds"].values()),
        }
        for point in sweep["points"]
    ]
    return {"names": names, "panels": panels, "rows": list(sweep["rows"]), "points": points}


def symbol(setting: str) -> str:
    """Return a setting as the paper calls it."""
    return SYMBOLS.get(setting, setting)


def said(value: Any) -> str:
    """Return a setting's value for people: .4, 2, centroids_minimum."""
    return f"{value:g}".removeprefix("0") if isinstance(value, float) and 0 < value < 1 else f"{value}"


def _drawn(chart: SweptChart) -> Markup:
    """The chart for the page, in per cent."""
    at = sorted({place for curve in chart.curves for place in curve.at})
    series: list[tuple[str, str, list[float | None]]] = []
    for curve, style in zip(chart.curves, _STYLES, strict=False):
        values = dict(zip(curve.at, curve.values, strict=True))
        series.append((curve.name or "mIoU", style, [_hundredfold(values.get(place)) for place in at]))
    if chart.start is not None:
        series.append(("start", "after", [_hundredfold(chart.start)] * len(at)))
    return curves(at, series, axis=f"{symbol(chart.setting)}; mIoU, %", fractions=False)


def _hundredfold(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _is_line(values: Sequence[Any]) -> bool:
    return len(values) > 1 and all(isinstance(value, int | float) for value in values)


def _curves(sweep: Mapping[str, Any], setting: str, row: str, figure: str) -> tuple[SweptCurve, ...]:
    groups: dict[str, list[tuple[float, float | None]]] = {}
    for point in sweep["points"]:
        fixed = [f"{symbol(name)} {said(value)}" for name, value in point["settings"].items() if name != setting]
        value = (point.get(row) or {}).get(figure)
        groups.setdefault(", ".join(fixed), []).append((point["settings"][setting], value))
    found = [SweptCurve(name, *zip(*sorted(line, key=_at), strict=True)) for name, line in groups.items()]
    return tuple(found) if len(found) <= MOST else (found[0], found[len(found) // 2], found[-1])


def _at(point: tuple[float, float | None]) -> float:
    return point[0]
