"""How long each stage will take, said before the first one starts: measured seconds of a step and of an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table

from datamodules.files.tree import Tree
from datamodules.terminal import terminal
from mars_pl.commands.durations import rough_duration
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.execution.fingerprint import split_of
from mars_pl.pipeline.execution.needs import NAMES
from mars_pl.pipeline.fit_length import FitLength, fit_length, images_of_list
from mars_pl.pipeline.settings.resolved import Settings, class_name, init_args, resolve
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.pipeline.stage import Stage

FILE = Path(__file__).with_name("expected.yaml")

FEW_STEPS = 100
"""A fit of fewer steps hardly leaves where it started; the small fits of docs/measured_images.md have 310 and 375."""


class Expected(NamedTuple):
    """What a stage does and how long that takes.

    Attributes:
        name: of the stage.
        work: in words.
        seconds: None where nobody measured such a stage.
    """

    name: str
    work: str
    seconds: float | None


def tell_expected(choices: Choices, stages: Sequence[Stage]) -> None:
    """Print what each stage will do and how long that takes, and the fits whose steps are few.

    Args:
        choices: of the run.
        stages: that are still to be made.
    """
    found = [expected(stage, choices.trainer) for stage in stages if stage.job != "evaluate"]
    if not any(one.seconds for one in found):
        return
    console, machine = terminal(), _measured(choices.trainer)["machine"]
    table = Table("stage", "work", "expected", box=SIMPLE_HEAD, pad_edge=False)
    for one in found:
        table.add_row(one.name, one.work, rough_duration(one.seconds))
    together = sum(one.seconds or 0.0 for one in found)
    unknown = dict.fromkeys(one.name for one in found if one.seconds is None)
    more = f", and {', '.join(unknown)}, which nobody measured" if unknown else ""
    console.print(table)
    console.print(f"together {rough_duration(together)}{more}; as measured on {machine}", soft_wrap=True)


def few_steps(stages: Sequence[Stage]) -> Iterator[str]:
    """Yield a line on each fit whose steps are too few for its images.

    Args:
        stages: that are still to be made.
    """
    for stage in stages:
        found = fit_length(stage) if stage.job == "fit" else None
        if found is None or not found.steps:
            continue
        if found.steps < FEW_STEPS:
            yield (
                f"{stage.name}: {found.steps:,} steps of {found.batch} are few, whatever the {found.images:,} images "
                f"show; fewest_steps={FEW_STEPS} or {stage.name}.trainer.max_epochs= makes more"
            )
        elif found.steps * found.batch < found.items:
            yield (
                f"{stage.name}: {found.steps:,} steps of {found.batch} see {found.steps * found.batch:,} of the "
                f"{found.items:,} items of an epoch; {stage.name}.trainer.max_steps= makes more"
            )


def expected(stage: Stage, trainer: str) -> Expected:
    """Return what a stage does and how long that takes.

    Args:
        stage: a fit or a predict job.
        trainer: the choice; GPUs were not measured.
    """
    settings, measured = resolve(stage.yamls, stage.options), _measured(trainer)
    of_stages = measured.get("step" if stage.job == "fit" else "image", {})
    each = _of_network((of_stages.get(stage.name) or {}).get(_kind(settings)), settings)
    if stage.job == "fit":
        found = fit_length(stage)
        seconds = _of_fit(found, each, measured) if each is not None and found else None
        return Expected(f"{stage.name} {stage.training}".strip(), _words(found), seconds)
    data = init_args(settings.get("data"))
    images = images_of_list(Tree(stage.root), split_of(stage, settings), data)
    seconds = measured["start"] + each * images if each is not None and images is not None else None
    return Expected(stage.name, "its list is not there yet" if images is None else f"{images:,} images", seconds)


def _of_fit(found: FitLength, each: float, measured: Mapping[str, Any]) -> float | None:
    if not found.steps:
        return None
    return float(measured["start"] + each * found.steps + measured["epoch"] * (found.epochs or 0.0))


def _words(found: FitLength | None) -> str:
    if found is None:
        return "its list is not there yet"
    if not found.steps:
        return f"{found.images:,} images"
    return f"{found.steps:,} steps of {found.batch}, {found.epochs or 0:,.0f} epochs of {found.images:,} images"


def _kind(settings: Settings) -> str:
    """The class that does the work, and whether it is spared the backbone: what a stage costs is not in its name."""
    name, data = class_name(settings.get("model")), init_args(settings.get("data"))
    if data.get("feature_folder"):
        return f"{name} from features"
    return f"{name} from tokens" if init_args(data.get("training_set")).get("tokens") else name


def _of_network(measured: Mapping[str, float] | float | None, settings: Settings) -> float | None:
    """The number of the first network in the settings that has one, or the one number of work without a network."""
    if not isinstance(measured, Mapping):
        return measured
    names = _names(settings.get("model"))
    return next((float(measured[name]) for name in names if name in measured), None)


def _names(settings: Any) -> Iterator[str]:
    if isinstance(settings, dict):
        yield from (settings[name] for name in NAMES if isinstance(settings.get(name), str))
        for value in settings.values():
            yield from _names(value)


@cache
def _all_measured() -> dict[str, dict[str, Any]]:
    return read_settings(FILE)


def _measured(trainer: str) -> dict[str, Any]:
    """What was measured with a trainer; empty where nobody measured it."""
    return _all_measured().get(trainer, {})
