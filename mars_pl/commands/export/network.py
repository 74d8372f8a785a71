"""A trained segmentation network from the folder of its fit, without a trainer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser
from torch import nn

from datamodules.errors import DataError
from mars_pl.commands.data_choice import data_choice
from mars_pl.networks.network_maker import make_network
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.training.initial_weights import start_from_random
from mars_pl.training.weights import load_weights

FILES = {"teacher": "weights.safetensors", "student": "student.safetensors"}
"""What a segment fit leaves, by network."""


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
    start_from_random(chosen)
    network = _make(chosen, len(class_names))
    load_weights(network, weights or path.parent / FILES[role])
    return network.eval(), class_names


def _make(chosen: dict[str, Any], num_classes: int) -> nn.Module:
    """Make a network from its class path and arguments, as a fit does."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--network", type=Callable[[int], nn.Module])
    parsed = parser.parse_object({"network": chosen})
    return make_network(parser.instantiate_classes(parsed).network, num_classes)
