"""How long a fit is: steps, epochs, items of an epoch; and the epochs that give a small data set enough steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from datamodules.errors import DataError
from datamodules.files.image_labels.captions import read_captions
from datamodules.files.tree import Tree
from mars_pl.pipeline.execution.fingerprint import split_of
from mars_pl.pipeline.planned_lists import planned_lists
from mars_pl.pipeline.settings.resolved import class_name, init_args, resolve
from mars_pl.pipeline.settings.source import read_constant
from mars_pl.pipeline.stage import Stage, Value

VIEWS = {"FiveCropPairs": "datamodules.datasets.five_crops.CROPS"}
"""Training sets that make several items of an image, and the number."""

CAPTIONED = "CaptionedPictures"
"""The training set that reads no list but a folder of its own."""

UNLIMITED = -1

MAX_EPOCHS, MAX_STEPS, VALIDATE_EVERY = "trainer.max_epochs", "trainer.max_steps", "trainer.check_val_every_n_epoch"


class FitLength(NamedTuple):
    """How long a fit is.

    Attributes:
        images: of its list.
        items: of an epoch: several of an image, where the training set makes them.
        batch: items of a step.
        steps: None where no limit says.
        epochs: likewise.
        validated: epochs from one validation to the next.
    """

    images: int
    items: int
    batch: int
    steps: int | None
    epochs: float | None
    validated: int


def fit_length(stage: Stage) -> FitLength | None:
    """Return how long a fit is by its settings and list; None where that is not there yet."""
    settings = resolve(stage.yamls, stage.options)
    tree, split = Tree(stage.root), split_of(stage, settings)
    data = init_args(settings.get("data"))
    trainer = settings.get("trainer") or {}
    batch = data.get("batch_size")
    kind = class_name(data.get("training_set"))
    listed = images_of_list(tree, split, data)
    images = captioned(data) if kind == CAPTIONED and listed is not None else listed
    if images is None or not isinstance(batch, int):
        return None
    items = images * views_of(kind)
    steps, epochs = length(trainer.get("max_epochs"), trainer.get("max_steps"), items, batch)
    return FitLength(images, items, batch, steps, epochs, int(trainer.get("check_val_every_n_epoch") or 1))


def images_of_list(tree: Tree, split: str, data: Mapping[str, Any]) -> int | None:
    """Return how many images of a list a job takes; None where nobody knows before the data are made ready.

    Args:
        tree: of the data set.
        split: name of the list.
        data: settings of the data: ``limit`` takes the first so many.
    """
    there = tree.list_file(split).is_file()
    images, limit = len(tree.ids(split)) if there else planned_lists(tree.root).get(split), data.get("limit")
    if images is None:
        return None
    return min(images, limit) if isinstance(limit, int) else images


def captioned(data: Mapping[str, Any]) -> int | None:
    """Return how many pictures a fit on captions learns from; None where they are not there yet, or are at fault."""
    folder = init_args(data["training_set"]).get("folder")
    try:
        return len(read_captions(Path(folder))[: data.get("limit")]) if folder else None
    except DataError:
        return None  # which the fit tells


def more_epochs(stage: Stage, fewest: int) -> dict[str, Value]:
    """Return the options that give a fit at least so many steps, validated as often as before; none where it has them.

    Args:
        stage: a fit.
        fewest: steps.
    """
    found = fit_length(stage)
    if found is None or not found.steps or not found.epochs or found.steps >= fewest:
        return {}
    epochs = math.ceil(fewest * found.epochs / found.steps)
    every = math.ceil(found.validated * epochs / max(1.0, found.epochs))
    return {MAX_EPOCHS: epochs, MAX_STEPS: UNLIMITED, VALIDATE_EVERY: every}


def views_of(training_set: str) -> int:
    """Return how many items a training set makes of an image."""
    return int(read_constant(VIEWS[training_set])) if training_set in VIEWS else 1


def length(
    max_epochs: int | None, max_steps: int | None, items: int | None, batch: int
) -> tuple[int | None, float | None]:
    """Return steps and epochs of a fit that ends at whichever limit comes first; None is not known.

    Args:
        max_epochs: None or −1 for no limit.
        max_steps: likewise.
        items: of an epoch; the last ones, which fill no batch, are left out.
        batch: items of a step.
    """
    epochs = None if max_epochs in (None, UNLIMITED) else max_epochs
    steps = None if max_steps in (None, UNLIMITED) else max_steps
    if items is None:
        return steps, epochs
    each = items // batch
    if not each:
        return None, epochs
    ends = [limit for limit in (steps, None if epochs is None else epochs * each) if limit is not None]
    return (min(ends), min(ends) / each) if ends else (None, None)
