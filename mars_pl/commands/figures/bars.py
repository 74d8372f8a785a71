"""Bars of classes side by side, a bar a row of the run: what Fig. 1(b) and Fig. 9 have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mars_pl.commands.figures.style import WIDTH, blank, colours
from mars_pl.commands.metrics_table import scored_on
from mars_pl.commands.report.template import short_title

Chart = dict[str, Any]
"""As `bar_chart` of the report makes it."""

FEW = 30
"""Classes whose bars have room for a number."""


def sorted_chart(chart: Chart) -> Chart:
    """Return a chart whose classes follow the first row's figure, the largest first; what has none stands last."""
    lines = sorted(chart["classes"], key=lambda line: -(line[1][0][0] if line[1][0][0] is not None else -1))
    return {**chart, "classes": lines}


def draw_bars(charts: Sequence[Chart], *, changes: bool = False) -> Figure:
    """Draw one panel a chart, under one another.

    Args:
        charts: of one field each.
        changes: write the second row less the first over each class, in points.
    """
    most = max(len(chart["classes"]) for chart in charts)
    figure = blank(min(24.0, max(WIDTH, 0.34 * most)), 2.5 * len(charts))
    panels = figure.subplots(len(charts), 1, squeeze=False)[:, 0]
    for axes, chart in zip(panels, charts, strict=True):
        _panel(axes, chart, changes and len(chart["classes"]) <= FEW)
    return figure


def _panel(axes: Any, chart: Chart, changes: bool) -> None:
    names = [name for name, _ in chart["classes"]]
    count = len(chart["legend"])
    places, width = np.arange(len(names)), 0.8 / count
    for index, (row, style, _) in enumerate(chart["legend"]):
        values = np.array([bars[index][0] if bars[index][0] is not None else np.nan for _, bars in chart["classes"]])
        at = places + (index - (count - 1) / 2) * width
        axes.bar(at, 100 * values, width * 0.92, color=colours()[style], label=short_title(row))
    if changes and count > 1:
        for place, (_, bars) in zip(places, chart["classes"], strict=True):
            known = [value for value, _ in bars if value is not None]
            if bars[0][0] is not None and bars[1][0] is not None:
                words = f"{100 * (bars[1][0] - bars[0][0]):+.0f}".replace("-", "−").replace("+0", "±0")
                axes.text(place, 100 * max(known) + 1.5, words, ha="center", fontsize=8, color=colours()["soft"])
    axes.grid(axis="y")
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(0, min(112, 100 * chart["full"] * 1.12))
    axes.set_yticks([tick for tick in axes.get_yticks() if tick <= 100])
    axes.set_ylabel(f"{chart['field']}, %")
    about = chart["shared"] or scored_on(chart["legend"][0][2])
    axes.set_title(f"{chart['subject']}: {about}", loc="left")
    turned = len(names) > 12 or max(map(len, names)) > 10
    axes.set_xticks(places, names, rotation=40 if turned else 0, ha="right" if turned else "center")
    axes.tick_params(axis="x", length=0)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=count, borderaxespad=0, handlelength=1)
