"""`mars sweep RUN alpha=.2,.4 …`: settings of the debiasing gone over; whatever comes before them is made once."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from rich.text import Text

from datamodules.errors import DataError
from datamodules.terminal import terminal
from mars_pl.commands.durations import duration
from mars_pl.commands.metrics_table import provenance
from mars_pl.commands.report.run import Run, open_run
from mars_pl.commands.run.plan import add_plan_options, print_plan
from mars_pl.commands.run.words import RUN_WORDS
from mars_pl.commands.sweep.grid import help_text, points_of, read_grid
from mars_pl.commands.sweep.plan import check_plan, plan_sweep
from mars_pl.commands.sweep.results import sweep_results, sweep_table, write_sweep
from mars_pl.pipeline.execution.lock import locked
from mars_pl.pipeline.execution.needs import check_needs
from mars_pl.pipeline.execution.places import RUNS, Places
from mars_pl.pipeline.execution.tasks import execute, launch_words
from mars_pl.pipeline.run_folder import choices_of


def main(argv: Sequence[str]) -> int:
    """Make the points that are not made yet, print them and write them down; returns 0.

    Raises:
        DataError: where the run or a word is at fault, there is no truth, or a stage fails.
    """
    arguments = parser().parse_intermixed_args(argv)
    launch_words(arguments.launch)
    grid = read_grid(arguments.words, networks=arguments.networks)
    run = _open(arguments.run)
    run.look_for_weights()
    choices = choices_of(run.manifest)
    plan = plan_sweep(choices, points_of(grid, choices), networks=arguments.networks)
    places = Places()
    check_plan(plan, places, run.folder)
    stages = plan.stages(places)
    if arguments.dry_run:
        print_plan(stages, places, commands=arguments.commands)
        return 0
    wanted = [stage for stage in stages if not places.of(stage).finished]
    check_needs(wanted)
    begun = time.monotonic()
    execute(stages, places, arguments.jobs or 1, arguments.launch)
    passed = time.monotonic() - begun
    with locked(run.folder):
        sweep = sweep_results(run, grid, plan, places)
        written = write_sweep(run, sweep)
    console = terminal()
    console.print(sweep_table(sweep))
    for name, row in sweep["rows"].items():
        console.print(Text(f"{name}: {provenance(row)}"))
    reused = ", ".join(dict.fromkeys(stage.name for stage in plan.upstream))
    taken = f"{len(wanted)} of {len(stages)} stages made in {duration(passed)}" if wanted else "every stage was there"
    console.print(Text(f"{taken}; all points share {reused or 'the labels'} and the stored features"))
    for path in written:
        console.print(Text(str(path), style=f"bold link {path.resolve().as_uri()}"), soft_wrap=True)
    console.print(Text(f"`mars figures {run.folder} --only 10` draws it, `mars report {run.folder}` shows it"))
    return 0


def _open(argument: str) -> Run:
    """Open a run whose stages lie where the pipeline would make them."""
    run = open_run(argument)
    if run.folder.resolve().parent != RUNS.resolve():
        raise DataError(f"{argument}: is no run of {RUNS}/ here; start from the folder that it was made in")
    return run


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    reader = argparse.ArgumentParser(
        prog="mars sweep",
        description="Goes over settings of the debiasing of a finished run; all that comes before is shared (Fig. 10).",
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reader.add_argument("run", metavar="RUN", help="a run's folder, or its name under runs/")
    reader.add_argument("words", nargs="*", metavar="NAME=VALUES", help="what is swept; see below")
    reader.add_argument("--networks", action="store_true", help="train the network of each point too, a fit a point")
    add_plan_options(reader, jobs="1")
    reader.add_argument("--launch", default="", metavar="WORDS", help=RUN_WORDS["launch"][1])
    return reader
