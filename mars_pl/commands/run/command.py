"""`mars run TARGET data=voc …`: the stages of the paper in their order, each made once and shared by all runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace

from datamodules.processes import cores
from mars_pl.commands.run import targets
from mars_pl.commands.run.board.opening import check_dashboard, dashboard_mode, open_board
from mars_pl.commands.run.plan import add_plan_options, print_plan, tell_choices
from mars_pl.commands.run.refusals import refuse_absent, refuse_unknown
from mars_pl.commands.run.words import STAGES, TARGETS, Words, chosen_by, help_text, refuse_unread, sort_words
from mars_pl.pipeline.choices import Choices, read_choices
from mars_pl.pipeline.data_set import is_ready, prepare
from mars_pl.pipeline.execution.lock import locked
from mars_pl.pipeline.execution.needs import check_needs
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.tasks import execute, launch_words
from mars_pl.pipeline.run_folder import Run
from mars_pl.pipeline.stage import Stage, with_inputs
from mars_pl.training.weight_files import MARS_WEIGHTS


def main(argv: Sequence[str]) -> int:
    """Make a target's stages that are not finished, then what follows them; returns 0.

    Raises:
        DataError: where a word is unknown, something is missing, or a stage fails.
    """
    arguments = parser().parse_intermixed_args(argv)
    words = sort_words(arguments.words)
    refuse_unread(arguments.target, words)
    launch_words(words.of_run("launch"))
    mode = dashboard_mode(words)
    data = words.choices.get("data", Choices.data)
    words.choices.update(chosen_by(arguments.target, data) | words.choices)
    if words.of_run("weights"):
        os.environ[MARS_WEIGHTS] = words.of_run("weights")
    choices = read_choices(words.choices, words.options)
    if arguments.dry_run:
        if not all(map(is_ready, _each(arguments.target, choices, words))):
            print(f"{choices.root}: would be made ready first; folders' names and figures follow from it")
        places = Places()
        stages = _chosen(arguments.target, choices, words, places)[1]
        print_plan(stages, places, commands=arguments.commands)
        tell_choices(words.choices, choices, [stage for stage in stages if not places.of(stage).finished])
        return 0
    check_dashboard(mode)
    if not is_ready(choices):  # a fault in the words shows before hours of preparing
        _refuse(arguments.target, choices, targets.mars(choices).every_stage())
    for one in _each(arguments.target, choices, words):
        prepare(one)
    choices = read_choices(words.choices, words.options)  # now that its lists are there
    places = Places()
    runs, stages = _chosen(arguments.target, choices, words, places)
    unfinished = [stage for stage in stages if not places.of(stage).finished]
    check_needs(unfinished)
    tell_choices(words.choices, choices, unfinished)
    board = open_board(mode, words, choices, runs, places)
    for stage in stages:
        if places.of(stage).finished:
            board.made(places.of(stage))
    jobs = arguments.jobs or (min(2, cores()) if arguments.target == "demo" else 1)
    execute(stages, places, jobs, words.of_run("launch"), board)
    from mars_pl.commands.run import closing  # reports and tables, which a plan needs not

    if arguments.target != "server":  # whose masks are no part of the run's report
        for run in runs:
            with locked(run.folder):
                closing.report(run, run.write(places))
                board.made_run(run)
    closing.close(arguments.target, runs, choices, words, places)
    return 0


def _each(target: str, choices: Choices, words: Words) -> list[Choices]:
    """Return the choices whose data a target reads: `methods` reads those of each WSSS method."""
    return [replace(choices, wsss=name) for name in words.listed("each_wsss")] if target == "methods" else [choices]


def _chosen(target: str, choices: Choices, words: Words, places: Places) -> tuple[list[Run], list[Stage]]:
    """Return the runs that a target makes, none for a single stage, and all stages of theirs, each once, inputs first.

    Raises:
        DataError: where a stage that a word names is not among them, or does not take a setting.
    """
    runs = _runs(target, choices, words)
    stages = places.each_once(with_inputs([stage for run in runs for stage in run.every_stage()]))
    _refuse(target, choices, stages)
    if target in STAGES:
        return [], with_inputs([stage for stage in stages if stage.name == target])
    return runs, stages


def _refuse(target: str, choices: Choices, stages: Sequence[Stage]) -> None:
    refuse_absent([*([target] if target in STAGES else []), *choices.options], stages)
    refuse_unknown(choices, stages)


def _runs(target: str, choices: Choices, words: Words) -> list[Run]:
    name = words.of_run("run")
    if target == "gap":
        return targets.gap(choices, words.seeds("seeds") or [choices.seed], words.seeds("segment_seeds"), name)
    if target == "methods":
        return targets.methods(choices, words.listed("each_wsss"), words.listed("each_uss"), words.choices)
    if target == "server":
        return [targets.server(choices, words.of_run("server_split"), name)]
    return [targets.mars(choices, name)]


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    reader = argparse.ArgumentParser(
        prog="mars run",
        description="Makes the stages of a run that are not finished, and its report.",
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reader.add_argument("target", choices=(*TARGETS, *STAGES), metavar="TARGET", help="what to make; see below")
    reader.add_argument("words", nargs="*", metavar="NAME=VALUE", help="choices; see below")
    add_plan_options(reader, jobs="1, of demo 2")
    return reader
