"""`mars run TARGET data=voc …`: the stages of the paper in their order, each made once and shared by all runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from datamodules.errors import DataError
from mars_pl.commands.run import targets
from mars_pl.commands.run.plan import print_plan
from mars_pl.commands.run.words import STAGES, TARGETS, Words, help_text, sort_words
from mars_pl.pipeline.choices import Choices, read_choices
from mars_pl.pipeline.data_set import is_ready, prepare
from mars_pl.pipeline.execution.needs import check_needs
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.tasks import cores, execute
from mars_pl.pipeline.run_folder import Run
from mars_pl.pipeline.stage import Stage, with_inputs
from mars_pl.training.weight_files import MARS_WEIGHTS


def main(argv: Sequence[str]) -> int:
    """Make a target's stages that are not finished, then what follows them; returns 0.

    Raises:
        DataError: where a word is unknown, something is missing, or a stage fails.
    """
    arguments = _parser().parse_args(argv)
    words = sort_words(arguments.words)
    if arguments.target == "demo":
        words.choices.setdefault("data", "scenes")
    if words.of_run("weights"):
        os.environ[MARS_WEIGHTS] = words.of_run("weights")
    choices = read_choices(words.choices, words.options)
    if arguments.dry_run:
        if not is_ready(choices):
            print(f"{choices.root}: would be made ready first; folders' names and figures follow from it")
        print_plan(_chosen(arguments.target, choices, words)[1], Places(), commands=arguments.commands)
        return 0
    prepare(choices)
    choices = read_choices(words.choices, words.options)  # now that its lists are there
    runs, stages = _chosen(arguments.target, choices, words)
    places = Places()
    check_needs([stage for stage in stages if not places.of(stage).finished])
    jobs = arguments.jobs or (min(2, cores()) if arguments.target == "demo" else 1)
    execute(stages, places, jobs, words.of_run("launch"))
    from mars_pl.commands.run import closing  # reports and tables, which a plan needs not

    for run in runs:
        changed = run.write(places)
        if arguments.target != "server":
            closing.report(run, changed)
    closing.close(arguments.target, runs, choices, words, places)
    return 0


def _chosen(target: str, choices: Choices, words: Words) -> tuple[list[Run], list[Stage]]:
    """Return the runs that a target makes, none for a single stage, and all stages of theirs, inputs first."""
    name = words.of_run("run")
    if target in STAGES:
        every = targets.mars(choices, name).every_stage()
        wanted = [stage for stage in every if stage.name == target]
        if not wanted:
            there = ", ".join(dict.fromkeys(stage.name for stage in every))
            raise DataError(f"{target}: these choices have no such stage; they have {there}")
        return [], with_inputs(wanted)
    if target == "gap":
        seeds = words.seeds("seeds") or [choices.seed]
        runs = targets.gap(choices, seeds, words.seeds("segment_seeds"), name)
    elif target == "methods":
        runs = targets.methods(choices, words.listed("each_wsss"), words.listed("each_uss"), words.choices)
    elif target == "server":
        runs = [targets.server(choices, words.of_run("server_split"))]
    else:
        runs = [targets.mars(choices, name)]
    return runs, with_inputs([stage for run in runs for stage in run.every_stage()])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mars run",
        description="Makes the stages of a run that are not finished, and its report.",
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", choices=(*TARGETS, *STAGES), metavar="TARGET", help="what to make; see below")
    parser.add_argument("words", nargs="*", metavar="NAME=VALUE", help="choices; see below")
    parser.add_argument("-n", "--dry-run", action="store_true", help="print what would run, and why")
    parser.add_argument("--commands", action="store_true", help="with -n: the command of each stage too")
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="stages side by side (default: 1, of demo 2)")
    return parser
