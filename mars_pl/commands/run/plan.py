"""What will run, and why: a line a stage; the choices that were not a person's, and how long it takes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from rich.text import Text

from datamodules.terminal import terminal
from mars_pl.commands.run.expected import few_steps, tell_expected
from mars_pl.pipeline.choices import NAMES, Choices
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.words import command_words
from mars_pl.pipeline.preferences import chosen_by_machine, meaning
from mars_pl.pipeline.settings.configs import find_config
from mars_pl.pipeline.stage import Stage


def add_plan_options(parser: argparse.ArgumentParser, jobs: str) -> None:
    """Add the options of what runs: only said, and how many stages at once.

    Args:
        parser: of a command that makes stages.
        jobs: how many there are by default, in words.
    """
    parser.add_argument("-n", "--dry-run", action="store_true", help="print what would run, and why")
    parser.add_argument("--commands", action="store_true", help="with -n: the command of each stage too")
    words = f"stages side by side (default: {jobs})"
    parser.add_argument("-j", "--jobs", type=_count, metavar="N", help=words)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of stages; name 1 or more")
    return int(text)


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


def tell_choices(words: Mapping[str, str], choices: Choices, stages: Sequence[Stage]) -> None:
    """Print the size that the machine chose and what it means, how long each stage takes, and fits of few steps.

    Args:
        words: a person's own choices.
        choices: as completed.
        stages: that are still to be made.
    """
    if not stages:
        return
    console = terminal()
    if chosen_by_machine(words, choices.data, NAMES):
        other = "full" if choices.size == "small" else "small"
        there = "a GPU" if choices.size == "full" else "no GPU"
        console.print(f"size={choices.size}, since there is {there}: {meaning(choices.size)}", soft_wrap=True)
        console.print(f"  size={other} instead: {meaning(other)}", soft_wrap=True)
        console.print(f"  uss={choices.uss} backbone={choices.backbone}: {_about(choices.backbone)}", soft_wrap=True)
    tell_expected(choices, stages)
    for line in few_steps(stages):
        console.print(line, soft_wrap=True)


def _about(backbone: str) -> str:
    """What the first line of a backbone's YAML says."""
    return find_config(f"backbone/{backbone}").read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
