"""What a data set, a size and features prefer where a person says nothing: ``configs/choices`` and ``configs/size``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datamodules.errors import DataError
from mars_pl.pipeline.choice_files import look_for_file
from mars_pl.pipeline.machine import best_size
from mars_pl.pipeline.settings.configs import find_config
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.pipeline.timm_hub import cached
from mars_pl.training.weight_files import find_weights_file

FULL, MACHINE = "full", "machine"
"""The size where nothing else is said, and the word for the one that suits the machine."""


def preferences(words: Mapping[str, str], names: Sequence[str], uss: str) -> dict[str, Any]:
    """Return a value for each choice that somebody prefers: the data set first, then the size, then the features.

    Args:
        words: a person's own, ``data`` among them.
        names: of all choices.
        uss: the features where nobody prefers others.

    Raises:
        DataError: where a file names no choice, or there is no such size.
    """
    of_data = _read(f"choices/{words['data']}", names)
    size = words.get("size") or of_data.get("size") or FULL
    size = best_size() if size == MACHINE else size
    look_for_file("size", size)
    of_size = read_settings(find_config(f"size/{size}"), "choices")
    asked = words.get("uss") or of_data.get("uss") or of_size.get("uss") or uss
    backbones = of_size.get("backbone")
    uss = asked if isinstance(asked, str) else _at_hand(asked, backbones if isinstance(backbones, dict) else {})
    found: dict[str, Any] = {}
    for layer in (_read(f"choices/{uss}", names), of_size, of_data):
        for name, value in layer.items():
            value = value.get(uss) if isinstance(value, dict) else value  # by features
            if value is not None:
                found[name] = tuple(value) if isinstance(value, list) else value
    return found | {"size": size, "uss": uss}


def chosen_by_machine(words: Mapping[str, str], data: str, names: Sequence[str]) -> bool:
    """Tell whether the size was left to the machine."""
    return (words.get("size") or _read(f"choices/{data}", names).get("size")) == MACHINE


def meaning(size: str) -> str:
    """Return what a size means, in a line."""
    return str(read_settings(find_config(f"size/{size}")).get("means", ""))


def _at_hand(features: Sequence[str], backbones: Mapping[str, str]) -> str:
    """The first features whose backbone's weights lie here; where there are none, the first, whose can be fetched."""
    return next((uss for uss in features if uss in backbones and _weights_here(backbones[uss])), features[0])


def _weights_here(backbone: str) -> bool:
    vit = read_settings(find_config(f"backbone/{backbone}"), "init_args")
    if vit.get("weights"):
        return find_weights_file(str(vit["weights"])) is not None
    return cached(str(vit.get("name")))


def _read(name: str, names: Sequence[str]) -> dict[str, Any]:
    """A file of preferences, where there is one."""
    try:
        path = find_config(name)
    except DataError:
        return {}
    found = read_settings(path)
    for key in found:
        if key not in names:
            raise DataError(f"{path}: {key}: no choice has this name; `mars run --help` lists them")
    return found
