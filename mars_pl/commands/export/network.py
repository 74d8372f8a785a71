"""A trained segmentation network from the folder of its fit, without a trainer."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from jsonargparse import ArgumentParser
from torch import nn

from datamodules.errors import DataError
from mars_pl.commands.data_choice import data_choice
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.training.weights import load_weights

FILES = {"teacher": "weights.safetensors", "student": "student.safetensors"}
"""What a segment fit leaves, by network."""

UNTRAINED = {"weights": None, "pretrained": False, "encoder_weights": None}
"""Settings that would fetch weights to start from; those of the fit take their place."""


def read_network(fit: Path, weights: Path | None = None, role: str = "teacher") -> tuple[nn.Module, tuple[str, ...]]:
    """Build the network that a segment fit trained and load its weights.

    Args:
        fit: the fit's folder, or a configuration YAML that names network and data.
        weights: safetensors file; by default that of the role in the fit's folder.
        role: `teacher` or `student`.

    Returns:
        The network in evaluation mode, and the class names, background first.

    Raises:
        DataError: where there is no configuration, or it names no network or no classes.
        ValueError: where the weights are missing or another network's.
    """
    path = fit / "fit.yaml" if fit.is_dir() else fit
    if not path.is_file():
        raise DataError(f"{path}: no such configuration; name the folder of a segment fit")
    class_names, _ = data_choice(str(path))
    chosen = read_settings(path, "model", "init_args").get("network")
    if not isinstance(chosen, dict) or "class_path" not in chosen:
        raise DataError(f"{path}: names no network at model.init_args.network; name the folder of a segment fit")
    network = _build(without_downloads(chosen), len(class_names))
    load_weights(network, weights or path.parent / FILES[role])
    return network.eval(), class_names


def without_downloads(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings, nested ones too, that start from random weights."""
    kept = {name: without_downloads(value) if isinstance(value, dict) else value for name, value in settings.items()}
    return kept | {name: value for name, value in UNTRAINED.items() if name in kept}


def _build(chosen: dict[str, Any], num_classes: int) -> nn.Module:
    """Build a class from its path and arguments; the number of classes comes from the data, as in a fit."""
    arguments = dict(chosen.get("init_args") or {})
    if "num_classes" in signature(resolve_name(chosen["class_path"])).parameters:
        arguments["num_classes"] = num_classes
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--network", type=nn.Module)
    parsed = parser.parse_object({"network": {"class_path": chosen["class_path"], "init_args": arguments}})
    network: nn.Module = parser.instantiate_classes(parsed).network
    return network
