"""The grid of a sweep: words such as ``alpha=.2,.4`` and ``background_clusters=1..5``, and each point's choices."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from datamodules.errors import DataError
from datamodules.unpickle.yaml_text import read_yaml_text
from mars_pl.pipeline.choice_files import FILES, look_for_file, near_miss
from mars_pl.pipeline.choices import Choices, value_of

SWEPT = ("alpha", "foreground_clusters", "background_clusters", "gamma", "centroids")
"""Choices of `mars run` that a sweep can go over."""

DEBIAS_STAGES = ("debias-centroids", "debias-labels", "debias-probe", "debias-probed")
NETWORK_STAGES = ("segment", "segment-masks")
"""Stages whose settings can be swept too, ``debias-labels.writer.exponent=2,4``; the latter with networks."""

LARGEST = {"alpha": 1.0}
"""Numbers that are swept lie above 0, and these not above their largest."""

MOST = 500
"""Points of a grid; more are a slip of the pen."""

Value = str | int | float
Grid = Mapping[str, tuple[Value, ...]]
"""Setting → its values, in the order in which they were said."""


@dataclass(frozen=True)
class Point:
    """One point of a grid.

    Attributes:
        settings: value of each swept setting.
        choices: of the run, with these.
    """

    settings: Mapping[str, Value]
    choices: Choices

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.settings.items())


def read_grid(words: Sequence[str], *, networks: bool) -> Grid:
    """Read what is to be swept.

    Args:
        words: ``name=value,value`` or, of whole numbers, ``name=first..last``.
        networks: the points train networks too, whose settings can be swept.

    Raises:
        DataError: where there is no word, a name cannot be swept, or a value is none of its kind.
    """
    if not words:
        raise DataError(f"nothing to sweep: say settings and their values, alpha=.2,.4,.6; {swept_words(networks)}")
    grid: dict[str, tuple[Value, ...]] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name in grid:
            why = "is said twice" if name in grid else "a setting is written name=value,value"
            raise DataError(f"{word}: {why}")
        _refuse_unsweepable(name, networks)
        grid[name] = tuple(dict.fromkeys(_value(name, one) for one in _listed(word, text)))
    if (count := math.prod(map(len, grid.values()))) > MOST:
        raise DataError(f"{' '.join(words)}: a grid of {count:,} points; name {MOST} at most")
    return grid


def points_of(grid: Grid, choices: Choices) -> list[Point]:
    """Return the points, the last setting running fastest."""
    every = (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))
    return [Point(settings, _changed(choices, settings)) for settings in every]


def swept_words(networks: bool) -> str:
    """Return what can be swept, in words."""
    stages = _stages(networks)
    more = "" if networks else f"; with --networks those of {' and '.join(NETWORK_STAGES)} too"
    return f"a sweep goes over {', '.join(SWEPT)}, and settings of {' and '.join(stages)}{more}"


def help_text() -> str:
    """Return what `mars sweep --help` says of settings."""
    about = {entry.name: entry.metadata["help"] for entry in fields(Choices) if entry.name in SWEPT}
    lines = ["settings, name=value,value or name=first..last:", *(f"  {name:20} {about[name]}" for name in SWEPT)]
    lines += [
        "or of one stage, as `mars run` has them: debias-labels.writer.exponent=2,4",
        f"({', '.join(DEBIAS_STAGES)}; with --networks {', '.join(NETWORK_STAGES)} too)",
    ]
    return "\n".join(lines)


def _stages(networks: bool) -> tuple[str, ...]:
    return (*DEBIAS_STAGES, *NETWORK_STAGES * networks)


def _refuse_unsweepable(name: str, networks: bool) -> None:
    if name in SWEPT or ("." in name and name.partition(".")[0] in _stages(networks)):
        return
    meant = near_miss(name, SWEPT)
    raise DataError(f"{name}=: cannot be swept; {f'{meant} ' if meant else ''}{swept_words(networks)}")


def _listed(word: str, text: str) -> list[str]:
    """The values of a word, ranges written out."""
    found: list[str] = []
    for part in text.split(","):
        ends = re.fullmatch(r"(\d+)\.\.(\d+)", part)
        numbers = range(int(ends[1]), min(int(ends[2]), int(ends[1]) + MOST) + 1) if ends else []
        found += map(str, numbers) if ends else [part.strip()]
        if not found or not found[-1] or (ends and not numbers):
            raise DataError(f"{word}: write values as 1,2,4 or 1..5, none of them empty")
    return found


def _value(name: str, text: str) -> Value:
    if name not in SWEPT:
        value = read_yaml_text(text)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else text
    chosen: Value = value_of(name, text)
    if name in FILES:
        look_for_file(name, text)
    elif not 0 < float(chosen) <= LARGEST.get(name, math.inf) or math.isinf(float(chosen)):
        most = f" and at most {LARGEST[name]:g}" if name in LARGEST else ""
        raise DataError(f"{name}={text}: above 0{most} is wanted")
    return chosen


def _changed(choices: Choices, settings: Mapping[str, Value]) -> Choices:
    own: dict[str, Any] = {name: value for name, value in settings.items() if name in SWEPT}
    options = {name: str(value) for name, value in settings.items() if name not in SWEPT}
    return replace(choices, **own, options={**choices.options, **options})
