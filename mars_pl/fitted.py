"""A trained segmentation network from the folder of its fit, without a trainer: for export, and for Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jsonargparse import ArgumentParser
from torch import nn

from datamodules.errors import DataError
from mars_pl.api import predict
from mars_pl.commands.data_choice import data_choice
from mars_pl.debias.given_image import Array
from mars_pl.networks.network_maker import make_network
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.refine.protocol import Refine
from mars_pl.segment.sliding_window import SlidingWindow
from mars_pl.training.initial_weights import start_from_random
from mars_pl.training.weight_files import SETTINGS, WEIGHTS
from mars_pl.training.weights import load_weights

FILES = {"teacher": WEIGHTS, "student": "student.safetensors"}
"""What a segment fit leaves, by network."""


VIEWS = ("scales", "flip", "average", "resampling", "least_probability", "window")
"""Settings of a fit that say how its network looks at an image."""


@dataclass(frozen=True)
class Segmenter:
    """A trained network that takes an image and gives its mask.

    Attributes:
        network: in evaluation mode.
        class_names: of the mask's codes, background first.
        views: how the fit predicts, as `mars_pl.api.predict` takes it.
    """

    network: nn.Module
    class_names: tuple[str, ...]
    views: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, image: Array, refine: Refine | None = None) -> Array:
        """Return the mask (H, W) of one image, uint8 RGB (H, W, 3) or (3, H, W).

        Args:
            image: numpy's array or torch's tensor; the mask is of the same kind.
            refine: what sharpens it, ``mars_pl.refine.dense_crf.DenseCRF(workers=0)`` as `mars predict` does.
        """
        return next(predict([("image", image)], self.network, **self.views, refine=refine))[1]


def read_segmenter(fit: str | Path, network: str = "teacher", device: str = "cpu") -> Segmenter:
    """Return the trained network of a segment fit, with its class names and views.

    Args:
        fit: its folder, ``runs/<RUN>/segment``.
        network: `teacher` or `student`.
        device: where it is to run.

    Raises:
        DataError: as `read_network` does.
        ValueError: likewise.
    """
    folder = Path(fit)
    trained, class_names = read_network(folder, role=network)
    said = read_settings(folder / SETTINGS, "model", "init_args")
    views = {name: said[name] for name in VIEWS if said.get(name) is not None}
    if isinstance(views.get("window"), dict):
        views["window"] = SlidingWindow(**views["window"])
    return Segmenter(trained.to(torch.device(device)), class_names, views)


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
    path = fit / SETTINGS if fit.is_dir() else fit
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
