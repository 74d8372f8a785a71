"""The stages run by doit: each once, inputs first, several side by side; what fails stops what is still to come."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from doit.cmd_base import TaskLoader2
from doit.doit_cmd import DoitMain
from doit.exceptions import TaskFailed
from doit.reporter import ZeroReporter
from doit.task import Task, dict_to_task

from datamodules.errors import DataError
from datamodules.processes import cores
from mars_pl.pipeline.execution.making import Commands, make
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.watcher import Watcher
from mars_pl.pipeline.stage import Stage

FINISHED = 0


class StageTasks(TaskLoader2):
    """The stages as doit's tasks.

    Args:
        stages: inputs first.
        places: of their folders.
        jobs: how many run side by side.
        launch: words before ``mars``.
        watcher: looks on.
    """

    def __init__(self, stages: Sequence[Stage], places: Places, jobs: int, launch: str, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher
        self.stages, self.places, self.jobs, self.launch = stages, places, jobs, launch_words(launch)
        self.commands = Commands()
        self.faults: list[Exception] = []

    def load_doit_config(self) -> dict[str, Any]:
        """Nothing is printed but what the stages say themselves."""
        return {"verbosity": 2, "reporter": ZeroReporter}

    def load_tasks(self, cmd: object, pos_args: object) -> list[Task]:
        """A task a stage; a finished one is up to date."""
        return [
            dict_to_task(
                {
                    "name": self._name(stage),
                    "actions": [(self._make, [stage])],
                    "task_dep": [self._name(before) for before in dict.fromkeys(stage.inputs())],
                    "uptodate": [self.places.of(stage).finished],
                    "io": {"capture": False},
                }
            )
            for stage in self.stages
        ]

    def _name(self, stage: Stage) -> str:
        return self.places.of(stage).key.name

    def _make(self, stage: Stage) -> TaskFailed | None:
        # Threads that wait for one another on taken cores make both stages several times as slow, so each takes its
        # share; a stage with nothing left to run beside it takes them all.
        shared = self.jobs > 1 and not stage.all_cores
        try:
            make(
                self.places.of(stage),
                self.places,
                self.commands,
                self.launch,
                cores() // self.jobs or 1 if shared else None,
                self.watcher,
            )
        except Exception as fault:
            self.faults.append(fault)
            return TaskFailed(str(fault))
        return None


def execute(
    stages: Sequence[Stage], places: Places, jobs: int, launch: str = "", watcher: Watcher | None = None
) -> None:
    """Make the stages that are not finished.

    Args:
        stages: inputs first.
        places: of their folders.
        jobs: how many run side by side.
        launch: words before ``mars`` in fits and predictions.
        watcher: looks on.

    Raises:
        DataError: the first fault; stages that were running beside it have come to their end.
        SystemExit: with 143 or 130 where we are told to end; the running stages are ended too and go on next time.
    """
    tasks = StageTasks(stages, places, jobs, launch, watcher or Watcher())
    with tempfile.TemporaryDirectory() as state, _ended_together(tasks.commands, state):
        # doit's own record is not needed: a stage is finished when its folder has its name. Nor is its configuration,
        # for which it would look in a pyproject.toml of the working directory.
        options = ["run", "--db-file", str(Path(state) / "doit"), "-n", str(jobs), "-P", "thread"]
        code = DoitMain(tasks, config_filenames=()).run(options)
    if tasks.faults:
        raise tasks.faults[0]
    if code != FINISHED:
        raise DataError(f"the pipeline ended with code {code}; run it again")


def launch_words(launch: str) -> list[str]:
    """Split what stands before ``mars`` as a shell does; raises DataError where a quote is left open."""
    try:
        return shlex.split(launch)
    except ValueError as error:
        raise DataError(f"launch={launch}: cannot be split into words ({error}); close the quote") from None


@contextmanager
def _ended_together(commands: Commands, state: str) -> Iterator[None]:
    """End the running commands with us, and remove doit's state."""

    def end(number: int, frame: FrameType | None) -> None:
        commands.stop()
        print(
            f"mars: ended by {signal.Signals(number).name}; what is finished stays, the rest goes on next time",
            file=sys.stderr,
        )
        shutil.rmtree(state, ignore_errors=True)
        os._exit(128 + number)  # doit's threads wait for nothing any more

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
