"""The data set made ready before anything is planned: generated, or brought into the layout that every stage reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from datamodules.errors import DataError
from datamodules.prepare.coco import prepare_coco
from datamodules.prepare.coco_masks import Rule
from datamodules.prepare.folder import prepare_folder
from datamodules.processes import cores
from datamodules.synthetic.captions import write_captioned
from datamodules.synthetic.generator import write_outside, write_scenes
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.methods import method
from mars_pl.pipeline.settings.resolved import class_name, init_args, resolve
from mars_pl.pipeline.settings.yamls import layers

OUTSIDE, CAPTIONS = "OutOfDistribution", "Captions"
"""Folders in the root of Scenes: pictures without an object that it generates for W-OoD, captioned ones for CLIMS."""


def is_ready(choices: Choices) -> bool:
    """Tell whether the data can be planned with as they lie there."""
    return (choices.root / "ImageSets").is_dir() and not _to_make(choices)


def prepare(choices: Choices) -> None:
    """Make what the data set lacks.

    Raises:
        DataError: where it is not there and cannot be made, or is at fault.
    """
    settings = resolve(layers(choices.overlays, f"data/{choices.data}"), {}).get("data", {})
    kind = class_name(settings)
    options = init_args(settings)
    root = choices.root
    if kind == "Scenes" and not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        write_scenes(root, options.get("data_seed") or 0, options.get("train", 800), options.get("val", 200))
    if kind == "Scenes":
        wanted, seed = _to_make(choices), options.get("data_seed") or 0
        if OUTSIDE in wanted:
            write_outside(root / OUTSIDE, seed + 1)
        if CAPTIONS in wanted:
            write_captioned(root / CAPTIONS, seed + 2, processes=cores())
    if not root.is_dir():
        how = f"; `mars data voc {root}` downloads it (3.4 GB)" if kind == "VOC" and choices.data == "voc" else ""
        raise DataError(f"{root}: no such data folder; data_root= says where it lies{how}")
    ready: dict[str, Callable[[Path], None]] = {
        "COCO": lambda place: prepare_coco(
            place, Rule(options.get("overlap", "later"), options.get("crowd", "excluded"))
        ),
        "Folder": prepare_folder,
    }
    ready.get(kind, lambda place: None)(root)


def _to_make(choices: Choices) -> list[str]:
    """Return which of Scenes' own further pictures are asked for and not there."""
    own = method(choices.wsss)
    wanted = {
        OUTSIDE: own.outside and choices.ood == OUTSIDE,
        CAPTIONS: own.captioned and choices.captions == CAPTIONS,
    }
    named = [name for name, wants in wanted.items() if wants and not choices.labels]
    return [name for name in named if not choices.place(name).is_dir()]
