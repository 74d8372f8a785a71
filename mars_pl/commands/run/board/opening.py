"""The words `wandb=` and `wandb_artifacts=`: whether a run has a dashboard, and the board that fills it."""

from __future__ import annotations

from collections.abc import Sequence

from datamodules.errors import DataError
from mars_pl.commands.run.board.watching import Watching
from mars_pl.commands.run.words import Words
from mars_pl.dashboards.identity import MODES, Mode
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.run_folder import Run

OFF = "off"


def dashboard_mode(words: Words) -> Mode | None:
    """Return how a run logs, None for not at all.

    Raises:
        DataError: where a word is none of its kind.
    """
    mode, artifacts = words.of_run("wandb"), words.of_run("wandb_artifacts")
    if artifacts not in ("true", "false"):
        raise DataError(f"wandb_artifacts={artifacts}: neither true nor false")
    if mode == OFF:
        if artifacts == "true":
            raise DataError("wandb_artifacts=true: nothing is logged without wandb=offline or wandb=online; add that")
        return None
    if mode not in MODES:
        raise DataError(f"wandb={mode}: none of {', '.join(MODES)} and {OFF}")
    return "online" if mode == "online" else "offline"


def check_dashboard(mode: Mode | None) -> None:
    """Look at once for what logging needs; raises DataError where that cannot be had."""
    if mode is not None:
        from mars_pl.dashboards.connection import check_connection

        check_connection(mode)


def open_board(mode: Mode | None, words: Words, choices: Choices, runs: Sequence[Run], places: Places) -> Watching:
    """Return who looks on while the stages are made: a board, or nobody."""
    if mode is None:
        return Watching()
    from mars_pl.commands.run.board.board import Board  # and what reads images, for those who want it

    return Board(mode, choices, runs, places, artifacts=words.of_run("wandb_artifacts") == "true")
