"""The names of rows: `final-round2-seed1` is MARS' network in its second round, trained with another seed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

FINAL = "final"

BESIDE_MARS = ("baseline", "adele", "dhr", "supervised")
"""Trainings that are not MARS': a run may be about one, and `final` is the row of `mars` all the same."""

OTHERWISE = {"debiased": "debiased-network"}
"""Rows of trainings that are not called like them: `debiased` is the row of the labels."""

_NAME = re.compile(r"(.+?)(?:-round(\d+))?(?:-seed(\d+))?")


class RowName(NamedTuple):
    """A row's name in its parts.

    Attributes:
        plain: what was measured.
        number: of the round, from 1.
        seed: of the segmenter, where it is not the run's own.
    """

    plain: str
    number: int = 1
    seed: int | None = None

    def __str__(self) -> str:
        later = "" if self.number == 1 else f"-round{self.number}"
        return f"{self.plain}{later}" + ("" if self.seed is None else f"-seed{self.seed}")


def final_training(chosen: str) -> str:
    """Return the training whose network is the row `final`: the one that a run chose, if it is one of MARS'."""
    return "mars" if chosen in BESIDE_MARS else chosen


def training_row(training: str, chosen: str) -> str:
    """Return the row of a training's network in a run that chose one."""
    return FINAL if training == final_training(chosen) else OTHERWISE.get(training, training)


def row_name(name: str) -> RowName:
    """Return a row's name in its parts."""
    match = _NAME.fullmatch(name)
    plain, number, seed = match.groups() if match else (name, None, None)
    return RowName(plain, int(number or 1), None if seed is None else int(seed))


def later_rounds(names: Iterable[str]) -> list[str]:
    """Return the names of MARS' rounds after the first among the names of rows, in order."""
    rounds = (row for row in map(row_name, names) if row.plain == FINAL and row.seed is None and row.number > 1)
    return list(map(str, sorted(rounds)))


def last_round(names: Iterable[str]) -> str:
    """Return the name of MARS' last round among the names of rows: that is the run's network."""
    return [FINAL, *later_rounds(names)][-1]
