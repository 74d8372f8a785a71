"""The recipe of a fit that a run would make: what its YAMLs, options and classes' defaults come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from datamodules.datasets.batch_share import batch_share
from datamodules.errors import DataError
from mars_pl.commands.recipe.learning import VALIDATED, Rows, learning_rows
from mars_pl.commands.recipe.length import Images, images_of, processes_of
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.fit_length import CAPTIONED, captioned, length, views_of
from mars_pl.pipeline.settings.known import TRAINER
from mars_pl.pipeline.settings.resolved import Settings, init_args, resolve
from mars_pl.pipeline.settings.signature import read_signature
from mars_pl.pipeline.stage import Stage

RANDOM_CROPS = "datamodules.datasets.random_crops.RandomCrops"
"""The training set where none is named."""

NETWORK = ("network", "affinity_net")


@dataclass
class Recipe:
    """What a fit comes to. Two are equal where fits differ in what they read alone.

    Attributes:
        name: of the stage.
        stages: the fits that share it.
        rows: value by name, in order.
        training_set: its settings, likewise.
        batch: how the batch of a step is made up, ``16 = 4 processes × 4``.
        images: of its list.
        split: name of the list.
        views: items of an image.
        notes: what a person should know.
    """

    name: str
    stages: list[Stage] = field(compare=False)
    rows: Rows
    training_set: Settings
    batch: str
    images: Images
    split: str
    views: int
    notes: tuple[str, ...]


def plan_recipe(choices: Choices, stage: Stage, published: Mapping[str, Mapping[str, int]]) -> Recipe:
    """Return the recipe of a fit.

    Args:
        choices: of the run.
        stage: a fit of it.
        published: images of the lists of data sets that are not on disk.

    Raises:
        DataError: where its batch does not divide among the processes, or a setting is no number.
    """
    try:
        return _planned(choices, stage, published)
    except DataError as error:
        raise DataError(f"{stage.name}: {error}") from None
    except (TypeError, ValueError) as error:  # the parser of the fit would say which
        raise DataError(f"{stage.name}: a setting is no number where one is wanted ({error}); mend it") from None


def _planned(choices: Choices, stage: Stage, published: Mapping[str, Mapping[str, int]]) -> Recipe:
    settings = resolve(stage.yamls, stage.options)
    _, data = _completed(settings.get("data"))
    kind, model = _completed(settings.get("model"))
    network_kind, network = _completed(next((model[name] for name in NETWORK if name in model), None))
    training_kind, training_set = _completed(data.get("training_set") or {"class_path": RANDOM_CROPS})
    _, trainer = _completed({"class_path": TRAINER, "init_args": settings.get("trainer")})
    views, whole = views_of(training_kind), int(data["batch_size"])
    images, split = images_of(choices, data, published), str(data["fit_split"])
    if training_kind == CAPTIONED:
        images, split = Images(captioned(data), f"{training_set['folder']}"), "captions"
    items = None if images.number is None else images.number * views
    steps, epochs = length(trainer["max_epochs"], trainer["max_steps"], items, whole)
    validation, note = _validation(kind in VALIDATED, data, trainer, epochs)
    rows = {"steps": steps, "epochs": epochs, "batch": whole}
    rows |= learning_rows(kind, model, network_kind, network) | {"validation": validation}
    shown = {name: value for name, value in training_set.items() if not isinstance(value, dict)}  # no files of stages
    return Recipe(
        stage.name,
        [stage],
        rows,
        training_set=shown,
        batch=_share(whole, trainer),
        images=images,
        split=split,
        views=views,
        notes=(note,) if note else (),
    )


def _completed(node: Any) -> tuple[str, Settings]:
    """The name of a class and its settings in the order of its own, defaults too."""
    path = str((node or {}).get("class_path", ""))
    signature, said = read_signature(path), init_args(node)
    settings = (signature.defaults if signature else {}) | said
    order = [name for name in signature.settings if name in settings] if signature else []
    return path.rpartition(".")[2], {name: settings[name] for name in dict.fromkeys([*order, *settings])}


def _share(whole: int, trainer: Settings) -> str:
    world = processes_of(trainer)
    if world is None:
        return f"{whole} over all GPUs"
    return str(batch_share(whole, trainer["accumulate_grad_batches"], world))


def _validation(validated: bool, data: Settings, trainer: Settings, epochs: float | None) -> tuple[str, str]:
    """How often a fit is validated, and what is to be said of it."""
    if not validated or data["validate_split"] is None or trainer["limit_val_batches"] in (0, 0.0):
        return "none", ""
    if trainer["val_check_interval"] not in (None, 1.0):
        return f"val_check_interval {trainer['val_check_interval']}", ""
    every = trainer["check_val_every_n_epoch"]
    late = epochs is not None and epochs < every
    note = f"validation: never comes, for the fit ends after {epochs:.1f} of {every} epochs" if late else ""
    return "every epoch" if every == 1 else f"every {every} epochs", note
