"""What the chosen stages will need, looked for at once before the first one starts: weights, folders, extras."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.tree import Tree
from mars_pl.pipeline.execution.fingerprint import is_weights, split_of
from mars_pl.pipeline.settings.resolved import Settings, leaves, resolve
from mars_pl.pipeline.stage import Stage
from mars_pl.training.weight_files import MARS_WEIGHTS, find_weights_file

EXTRAS = {
    "mars_pl.refine.dense_crf": (
        "pydensecrf",
        "the dense CRF",
        "pip install 'mars-pl[crf]', or take mars_pl.refine.torch_crf.TorchDenseCRF, the same in plain PyTorch",
    ),
    "segmentation_models_pytorch": (
        "segmentation_models_pytorch",
        "its networks",
        "pip install segmentation-models-pytorch",
    ),
}
"""Class path's beginning → package, what it is for, remedy."""

NAMES = ("name", "backbone", "encoder")
"""Beside ``pretrained: true``, the setting that names timm's model."""


def check_needs(stages: Sequence[Stage]) -> None:
    """Look for everything that stages which are still to be made will read from outside.

    Raises:
        DataError: where something is missing; a line on each, with its setting and its remedy, is printed where there
            are several.
    """
    missing = list(dict.fromkeys(line for stage in stages for line in _lacking(stage)))
    if len(missing) == 1:
        raise DataError(missing[0])
    if missing:
        print("\n".join(f"missing: {line}" for line in missing), file=sys.stderr)
        raise DataError(f"{len(missing)} things are missing, named above; nothing has run")


def _lacking(stage: Stage) -> Iterator[str]:
    settings = resolve(stage.yamls, stage.options)
    split = split_of(stage, settings)
    if stage.job == "predict" and "model.weights" in stage.options:
        settings = settings | {"model": {}}  # what a fit left needs nothing that its network started from
    for name, value in leaves(settings):
        if is_weights(name, value) and find_weights_file(value) is None:
            folder = os.environ.get(MARS_WEIGHTS, "weights")
            yield f"{name}: {value}: no such weights here or in {folder}/; put it there, or name its folder by weights="
        if isinstance(value, str):
            yield from _extra(value)
    yield from _downloads(settings)
    tree = Tree(stage.root)
    for name, value in stage.options.items():
        if isinstance(value, Path) and not value.exists() and value != tree.list_file(split):
            yield f"{name}: {value}: no such folder; {stage.name} reads it; put it there or name another"
    if not tree.list_file(split).is_file():
        there = ", ".join(tree.splits()) or "none"
        yield f"{tree.list_file(split)}: no such list; write it, or name one of {there}"


def _extra(value: str) -> Iterator[str]:
    for beginning, (package, purpose, remedy) in EXTRAS.items():
        if value.startswith(f"{beginning}.") and find_spec(package) is None:
            yield f"{value}: {purpose} needs the package {package}; {remedy}"


def _downloads(settings: Settings, path: str = "") -> Iterator[str]:
    """Weights of timm's hub that are neither at hand nor to be had."""
    if isinstance(settings, dict):
        named = next((settings[name] for name in NAMES if isinstance(settings.get(name), str)), None)
        if settings.get("pretrained") is True and named and not _to_be_had(named):
            yield f"{path}.pretrained: timm's weights of {named} are neither in the cache nor to be had; {_REMEDY}"
        for key, value in settings.items():
            yield from _downloads(value, f"{path}.{key}" if path else str(key))


_REMEDY = "go online once, set HF_HOME to a cache that has them, or set pretrained to false and weights to a file"


def _to_be_had(name: str) -> bool:
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache

    files = ("model.safetensors", "pytorch_model.bin")
    if any(isinstance(try_to_load_from_cache(f"timm/{name}", file), str) for file in files):
        return True
    if constants.HF_HUB_OFFLINE:
        return False
    try:
        get_hf_file_metadata(hf_hub_url(f"timm/{name}", files[0]), timeout=10)
    except Exception:  # whatever stands between us and the hub, the weights are not to be had
        return False
    return True
