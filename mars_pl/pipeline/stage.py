"""A stage as data: its name, the YAMLs that make it, what it reads, what it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Job = Literal["fit", "predict", "evaluate"]

CONFIGURED = ("data", "model", "writer")
"""Parts of a configuration that are classes: their settings, and those of classes within, lie under ``init_args``."""


@dataclass(frozen=True)
class Output:
    """A file or folder that a stage leaves, as another one's input."""

    stage: Stage
    path: str


Value = str | int | float | bool | Path | Output
"""Of an option. A Path is something from outside, known by what it holds; a str is taken as it is."""


@dataclass(frozen=True, eq=False)  # two stages are the same where they are one object
class Stage:
    """One command of the pipeline and the folder that it leaves.

    Attributes:
        name: what it makes, e.g. ``debias-centroids``.
        job: subcommand of ``mars``.
        choices: what tells its folder from that of the same stage under other choices, for people.
        root: where the data set lies.
        yamls: its configurations, the later before the earlier.
        options: settings from the command line by name, ``model.weights``; see `setting`.
        leaves: files and folders that are there when it has ended well.
        each: file that every image of its list has then, ``mars/{id}.png``; empty where there is none.
        measures: folders of truth, which change its figures and nothing that later stages read.
        seed: of the command.
        version: raised when a change of code changes its results.
        all_cores: it takes every core, since hardly anything is left to run beside it.
        training: which of several fits of one name it is, ``dhr``; settings may be told to it alone.
    """

    name: str
    job: Job
    choices: tuple[str, ...]
    root: Path
    yamls: tuple[Path, ...]
    options: Mapping[str, Value]
    leaves: tuple[str, ...]
    each: str = ""
    measures: tuple[Path, ...] = ()
    seed: int = 0
    version: int = 1
    all_cores: bool = False
    training: str = ""

    def __truediv__(self, path: str) -> Output:
        return Output(self, path)

    @property
    def addresses(self) -> tuple[str, ...]:
        """What a person calls it before a setting, ``segment`` and ``segment-dhr``, the later before the earlier."""
        return (self.name, f"{self.name}-{self.training}") if self.training else (self.name,)

    def inputs(self) -> Iterator[Stage]:
        """Yield the stages whose outputs it reads."""
        for value in self.options.values():
            if isinstance(value, Output):
                yield value.stage


def setting(name: str) -> str:
    """Return an option as a configuration names it: ``model.lr`` lies under ``model.init_args.lr``."""
    if name.split(".")[0] not in CONFIGURED:
        return name
    return re.sub(r"\.init_args\b", "", name).replace(".", ".init_args.")


def with_inputs(wanted: list[Stage]) -> list[Stage]:
    """Return stages with all that they read, inputs first, each once."""
    ordered: dict[Stage, None] = {}

    def visit(stage: Stage) -> None:
        if stage not in ordered:
            for before in stage.inputs():
                visit(before)
            ordered[stage] = None

    for stage in wanted:
        visit(stage)
    return list(ordered)
