"""What every figure and table of the paper is to the command: collected from a run, drawn, told in a caption."""

from __future__ import annotations

from typing import Any, Protocol

from matplotlib.figure import Figure

from datamodules.errors import DataError
from mars_pl.commands.report.run import Run


class LackingError(DataError):
    """What a figure needs and the run has not got; the other figures are drawn all the same."""


class PaperFigure(Protocol):
    """A module that makes one figure."""

    TITLE: str

    @staticmethod
    def collect(run: Run) -> Any:
        """Return what is drawn: plain numbers, names and arrays.

        Raises:
            LackingError: where the run has not got it.
            DataError: where a file is damaged.
        """

    @staticmethod
    def draw(data: Any) -> Figure:
        """Draw it."""

    @staticmethod
    def caption(data: Any) -> str:
        """Say what is seen, and on what it was measured."""
