"""Fig. 1(b): false positives class by class, before and after MARS (§1, per-class FP analysis)."""

from __future__ import annotations

from matplotlib.figure import Figure

from mars_pl.commands.figures.bars import Chart, draw_bars, sorted_chart
from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.report.class_table import field_bars
from mars_pl.commands.report.run import Run

TITLE = "False positives of each class"


def collect(run: Run) -> list[Chart]:
    """Return the charts of the labels and of the networks, classes with most false positives first.

    Raises:
        LackingError: where no row was measured by class.
    """
    charts = [sorted_chart(chart) for chart in field_bars(run.measured_rows(), "fp")]
    if not charts:
        raise LackingError("the run has no figures by class: nothing was measured, for want of true masks")
    return charts


def draw(charts: list[Chart]) -> Figure:
    """Draw labels above networks."""
    return draw_bars(charts)


def caption(charts: list[Chart]) -> str:
    """Say what the bars are."""
    return (
        "False positives, (P − TP) / union in per cent, class by class as in Fig. 1(b): in a few classes a companion, "
        "such as rails, is called the object, and that is what MARS takes away. The classes of most false positives in "
        f"the {charts[0]['subject']} before MARS stand at the left."
    )
