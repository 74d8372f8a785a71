"""Fig. 10: mIoU over the method's settings, K_bg and α first of all (§4.3, hyperparameters)."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from matplotlib.figure import Figure

from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.figures.style import WIDTH, blank, colours
from mars_pl.commands.metrics_table import provenance, scored_on, title
from mars_pl.commands.report.run import Run
from mars_pl.commands.report.sweep import SweptChart, own_sweeps, swept_charts, symbol

TITLE = "Sensitivity to the settings"

STYLES = ("third", "ink", "biased", "before", "between")
MARKERS = ("o", "s", "^", "D", "v")
STARTS = {"debiased": "Yᵇ, before MARS", "final": "baseline"}


def collect(run: Run) -> list[SweptChart]:
    """Return the charts of all sweeps of the labels that the run has now.

    Raises:
        LackingError: where nothing was swept.
    """
    charts = [chart for sweep in own_sweeps(run) for chart in swept_charts(sweep)]
    if not charts:
        words = f"`mars sweep {run.folder} alpha=.2,.4,.6 background_clusters=1..5` does it"
        raise LackingError(f"nothing was swept of the labels that it has now: {words}")
    return charts


def draw(charts: list[SweptChart]) -> Figure:
    """Draw a panel a setting, the red line being what the run starts from."""
    across = min(2, len(charts))
    down = -(-len(charts) // across)
    figure = blank(WIDTH if across > 1 else WIDTH * 0.6, 3.3 * down)
    for axes, chart in zip_longest(figure.subplots(down, across, squeeze=False).flat, charts):
        if chart is None:
            axes.axis("off")
        else:
            _panel(axes, chart)
    return figure


def _panel(axes: Any, chart: SweptChart) -> None:
    shown = colours()
    for index, curve in enumerate(chart.curves):
        points = [(at, 100 * value) for at, value in zip(curve.at, curve.values, strict=True) if value is not None]
        style = {"color": shown[STYLES[index % 5]], "marker": MARKERS[index % 5], "markersize": 4.5}
        axes.plot(*zip(*points, strict=True), **style, label=_as_maths(curve.name) or title(chart.row))
    if chart.start is not None:
        axes.axhline(100 * chart.start, color=shown["after"], linewidth=1.6, label=STARTS.get(chart.row, "start"))
    axes.set_xticks(sorted({at for curve in chart.curves for at in curve.at}))
    axes.set_xlabel(_as_maths(symbol(chart.setting)))
    axes.set_ylabel("mIoU, %")
    axes.set_title(f"{title(chart.row)}: {scored_on(chart.about)}", loc="left", fontsize=9)
    axes.margins(y=0.15)
    axes.grid(axis="y")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, fontsize=8)


def _as_maths(words: str) -> str:
    return words.replace("K_bg", "$K_{bg}$").replace("K_fg", "$K_{fg}$")


def caption(charts: list[SweptChart]) -> str:
    """Say what was swept and measured."""
    names = list(dict.fromkeys(symbol(chart.setting) for chart in charts))
    rows = dict.fromkeys(f"{title(chart.row)}: {provenance(chart.about)}" for chart in charts)
    return (
        f"mIoU over {' and '.join(names)}, as in Fig. 10, everything else being the run's. The red line is what the "
        f"run starts from. Curves differ by what the legend names. {'; '.join(rows)}."
    )
