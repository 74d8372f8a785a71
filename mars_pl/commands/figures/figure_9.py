"""Fig. 9: IoU class by class, of the baseline, of MARS and of full supervision (§4.3, category-wise improvements)."""

from __future__ import annotations

from matplotlib.figure import Figure

from mars_pl.commands.figures.bars import Chart, draw_bars
from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.metrics_table import percent, title
from mars_pl.commands.report.class_table import bar_chart, bar_series
from mars_pl.commands.report.run import Run

TITLE = "IoU of each class"


def collect(run: Run) -> Chart:
    """Return the chart of the networks.

    Raises:
        LackingError: where no network was measured by class.
    """
    chart = bar_chart("iou", "networks", bar_series(run.measured_rows())["networks"])
    if chart is None:
        raise LackingError("none of the rows baseline, final and supervised was measured by class")
    return chart


def draw(chart: Chart) -> Figure:
    """Draw a group of bars a class."""
    return draw_bars([chart], changes=True)


def caption(chart: Chart) -> str:
    """Say what the bars are, with the mean of each."""
    means = ", ".join(f"{title(name)} {percent(row['miou'])} %" for name, _, row in chart["legend"])
    change = f" Numbers over the bars: {title(chart['legend'][1][0])} less {title(chart['legend'][0][0])}, in points."
    return f"IoU of each class in per cent, as in Fig. 9. mIoU: {means}.{change if len(chart['legend']) > 1 else ''}"
