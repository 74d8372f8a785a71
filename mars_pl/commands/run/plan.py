"""What would run, and why: a line a stage."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from datamodules.terminal import terminal
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.words import command_words
from mars_pl.pipeline.stage import Stage


def print_plan(stages: Sequence[Stage], places: Places, *, commands: bool) -> None:
    """Print each stage in order: finished or to be made, and the reason.

    Args:
        stages: inputs first.
        places: of their folders.
        commands: the words of each command too.
    """
    console = terminal()
    for stage in stages:
        place = places.of(stage)
        finished = place.finished
        state = Text("finished  ", "green") if finished else Text("to make   ", "bold yellow")
        why = "" if finished else f": {place.reason()}"
        console.print(state + Text(f"{place.folder.name}{why}"), soft_wrap=True)
        if commands and not finished:
            console.print(Text(f"          mars {' '.join(command_words(place, places))}", "dim"), soft_wrap=True)
    made = sum(places.of(stage).finished for stage in stages)
    console.print(Text(f"{made} of {len(stages)} stages are finished"))
