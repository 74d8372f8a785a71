"""A setting of a stage that nothing takes is refused before anything runs: its stage would start hours later."""

from __future__ import annotations

from datamodules.errors import DataError
from mars_pl.pipeline.choice_files import near_miss
from mars_pl.pipeline.settings.resolved import Settings, init_args, resolve
from mars_pl.pipeline.settings.signature import Signature, read_signature
from mars_pl.pipeline.stage import CONFIGURED, Stage, setting

TRAINER = "pytorch_lightning.Trainer"

GIVEN = ("model", "train_dataloaders", "val_dataloaders", "dataloaders", "datamodule")
"""What a job has from the command itself."""

FEW = 25
"""So many names are listed where none is near."""


def check_setting(stage: Stage, name: str, address: str = "") -> None:
    """Refuse a setting that a class of the stage does not take.

    Classes are known by their source, see `signature.py`; what cannot be read there may take anything.

    Args:
        stage: whose YAMLs and options name the classes.
        name: of the setting, ``trainer.max_epochs``.
        address: what the person called the stage; its name where nothing stands here.

    Raises:
        DataError: with the nearest name.
    """
    top, *parts = setting(name).split(".")
    whole = f"{address or stage.name}.{name}"
    _check(whole, top, Signature(f"`mars {stage.job}`", _tops(stage.job)), stage.job)
    settings: Settings = resolve(stage.yamls, stage.options)
    node = settings.get(top)
    if top == "trainer" and parts:
        _check(whole, parts[0], read_signature(TRAINER), stage.job)
        node = node.get(parts[0]) if isinstance(node, dict) else None
        parts = parts[1:]
    while len(parts) > 1 and parts[0] == "init_args" and isinstance(node, dict):
        _check(whole, parts[1], read_signature(str(node.get("class_path"))), stage.job)
        node, parts = init_args(node).get(parts[1]), parts[2:]


def _check(whole: str, name: str, takes: Signature | None, job: str) -> None:
    if takes is None or not takes.complete or name in takes.settings:
        return
    listed = f"it takes {', '.join(takes.settings)}" if len(takes.settings) <= FEW else f"`mars {job} --help` lists all"
    raise DataError(f"{whole}: {takes.name} takes no {name}; {near_miss(name, takes.settings) or listed}")


def _tops(job: str) -> tuple[str, ...]:
    """What a job's configuration holds."""
    takes = read_signature(TRAINER, job)
    own = [name for name in takes.settings if name not in GIVEN] if takes else []
    return ("trainer", *CONFIGURED, "seed_everything", *own)
