"""The images of a fit's list, on disk or published, and among how many processes a batch is dealt out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from datamodules.errors import DataError
from datamodules.files.tree import Tree
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.fit_length import UNLIMITED, images_of_list
from mars_pl.pipeline.machine import gpu_count
from mars_pl.pipeline.settings.resolved import Settings


class Images(NamedTuple):
    """How many images a fit has, None where nobody knows, and who says so."""

    number: int | None
    source: str


def images_of(choices: Choices, data: Settings, published: Mapping[str, Mapping[str, int]]) -> Images:
    """Count the images of the list that a fit learns from.

    Args:
        choices: of the run.
        data: settings of the data, defaults too.
        published: images of each data set's lists, where it is not on disk.
    """
    split, limit = str(data["fit_split"]), data.get("limit")
    tree = Tree(choices.root)
    written = tree.list_file(split)
    listed = images_of_list(tree, split, data)
    if listed is not None:
        number = listed
        source = f"{written}" if written.is_file() else f"as {choices.root} will be laid out"
    elif split in published.get(choices.data, {}):
        number = published[choices.data][split]
        source = f"the published list {split}, since {choices.root} is not there"
    elif "data_seed" in data:  # scenes are generated, as many as are asked for
        number, source = int(data["train"]), "generated on first use"
    else:
        return Images(None, f"{written}: no such list, so that steps cannot be told")
    return Images(number, source) if limit is None else Images(min(number, limit), f"{source}, data.limit {limit}")


def processes_of(trainer: Mapping[str, Any]) -> int | None:
    """Return how many processes a trainer starts; None where that depends on the machine, and this one has no GPU.

    Args:
        trainer: its settings, defaults too.

    Raises:
        DataError: where devices are no number.
    """
    devices, nodes = trainer["devices"], int(trainer["num_nodes"])
    if devices in ("auto", UNLIMITED, str(UNLIMITED)):
        return nodes if trainer["accelerator"] == "cpu" else gpu_count() * nodes or None
    if isinstance(devices, list):
        return len(devices) * nodes
    named = [name for name in str(devices).split(",") if name.strip()]
    if not named or not all(name.strip().isdecimal() for name in named):
        raise DataError(f"trainer.devices: {devices}: is no number of devices; name a number, a list or auto")
    return (len(named) if "," in str(devices) else int(named[0])) * nodes
