"""The pixel features F of single images: those that a run stored, or asked of its network again (§3.1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.files.features import read_features
from datamodules.files.tree import Tree, read_image
from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.report.run import Run
from mars_pl.pipeline.settings.resolved import init_args
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.training.weight_files import WEIGHTS

FeaturesOf = Callable[[str], Tensor]
"""Image id → (D, h, w) float32."""

_STAGE = "debias-centroids"


def features_of(run: Run) -> FeaturesOf:
    """Return what gives the features of an image, as the centroids were made with.

    Raises:
        LackingError: where the run has neither features nor the configuration of its network, or it cannot be made.
        DataError: where a file of features is damaged.
    """
    folder = run.stage(_STAGE)
    if folder is None:
        raise LackingError("the run has no centroids' stage, so nobody knows its pixel features")
    settings = _settings(folder / "predict.yaml")
    stored = next((path for path in (folder / "features", _stored(run, settings)) if path and path.is_dir()), None)
    if stored is not None:
        return lambda image_id: read_features(stored / f"{image_id}.npy").float()
    chosen = init_args(settings.get("model")).get("feature_extractor")
    if not isinstance(chosen, dict):
        raise LackingError(f"{folder / 'predict.yaml'}: names no feature_extractor, and no features are stored")
    network, tree = _make(chosen, run), Tree(run.root)

    @torch.inference_mode()
    def ask(image_id: str) -> Tensor:
        features: Tensor = network(read_image(tree.image(image_id))[None])[0]
        return features.float()

    return ask


def _settings(path: Path) -> dict[str, Any]:
    return read_settings(path) if path.is_file() else {}


def _stored(run: Run, settings: dict[str, Any]) -> Path | None:
    named = init_args(settings.get("data")).get("feature_folder")
    return run.folder.parent.parent / named if named else None


def _make(chosen: dict[str, Any], run: Run) -> nn.Module:
    """Make the network from its class path and settings, as the job did; what its fit left lies in the run."""
    from jsonargparse import ArgumentParser, ArgumentError  # isort: skip

    own = dict(init_args(chosen))
    fitted = run.stage_file("uss-fit", WEIGHTS)
    if own.get("weights") and fitted is not None:
        own["weights"] = str(fitted)
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(nn.Module, "network")
    try:
        parsed = parser.parse_object({"network": {**chosen, "init_args": own}})
        network: nn.Module = parser.instantiate_classes(parsed).network
    except (ArgumentError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise LackingError(f"the network of the run's pixel features cannot be made ({reason})") from None
    return network.eval()
