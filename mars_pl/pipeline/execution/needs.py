"""What the chosen stages will need, looked for at once before the first one starts: weights, folders, extras."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from datamodules.errors import DataError
from datamodules.files.tree import Tree
from mars_pl.pipeline.execution.fingerprint import is_weights, split_of
from mars_pl.pipeline.settings.resolved import Settings, leaves, resolve
from mars_pl.pipeline.stage import Stage
from mars_pl.pipeline.timm_hub import WEIGHTS_FILES, cached, repository
from mars_pl.training.weight_files import MARS_WEIGHTS, find_weights_file

EXTRAS = {
    "mars_pl.refine.dense_crf": (
        "pydensecrf",
        "the dense CRF",
        "pip install 'mars-pl[crf]', or take mars_pl.refine.torch_crf.TorchDenseCRF, the same in plain PyTorch",
    ),
    "mars_pl.wsss.clims": ("open_clip", "CLIP", "pip install 'mars-pl[clip]'"),
    "segmentation_models_pytorch": (
        "segmentation_models_pytorch",
        "its networks",
        "pip install segmentation-models-pytorch",
    ),
}
"""Class path's beginning → package, what it is for, remedy."""

NAMES = ("name", "backbone", "encoder")
"""Beside ``pretrained: true``, the setting that names timm's model."""


class Missing(NamedTuple):
    """Something that is not there.

    Attributes:
        line: that says so, with the setting and the remedy.
        weights: its name where it is a file of weights.
    """

    line: str
    weights: str = ""


def check_needs(stages: Sequence[Stage]) -> None:
    """Look for everything that stages which are still to be made will read from outside.

    Raises:
        DataError: where something is missing; where there are several things that are not all weights, a line on each,
            with its setting and its remedy, is printed.
    """
    found = {missing.weights or missing.line: missing for stage in reversed(stages) for missing in _lacking(stage)}
    missing = list(reversed(found.values()))
    if len(missing) == 1:
        raise DataError(missing[0].line)
    if missing and all(one.weights for one in missing):
        names = ", ".join(one.weights for one in missing)
        raise DataError(f"{len(missing)} weights are neither here nor to be had: {names}; {_FETCH}; nothing has run")
    if missing:
        print("\n".join(f"missing: {one.line}" for one in missing), file=sys.stderr)
        raise DataError(f"{len(missing)} things are missing, named above; nothing has run")


def needed_weights(stages: Sequence[Stage]) -> tuple[list[str], list[str]]:
    """Return what stages start from, each once: files of weights, and models of timm's hub, by their names."""
    files: dict[str, None] = {}
    models: dict[str, None] = {}
    for stage in stages:
        settings = _of_outside(stage)
        files |= {value: None for name, value in leaves(settings) if is_weights(name, value)}
        models |= {named: None for _, named in _pretrained(settings)}
    return list(files), list(models)


def _of_outside(stage: Stage) -> Settings:
    """A stage's settings without the network that a fit left: it needs nothing that it started from."""
    settings = resolve(stage.yamls, stage.options)
    return settings | {"model": {}} if stage.job == "predict" and "model.weights" in stage.options else settings


def _lacking(stage: Stage) -> Iterator[Missing]:
    settings = _of_outside(stage)
    split = split_of(stage, settings)
    for name, value in leaves(settings):
        if is_weights(name, value) and find_weights_file(value) is None:
            folder = os.environ.get(MARS_WEIGHTS, "weights")
            yield Missing(f"{name}: {value}: no such weights here or in {folder}/; {_FETCH}", value)
        if isinstance(value, str):
            yield from map(Missing, _extra(value))
    for name, model in _pretrained(settings):
        if not _to_be_had(model):
            yield Missing(
                f"{name}: timm's weights of {model} are neither in the cache nor to be had; {_FETCH}",
                f"timm's {model}",
            )
    tree = Tree(stage.root)
    for name, value in stage.options.items():
        if isinstance(value, Path) and not value.exists() and value != tree.list_file(split):
            yield Missing(f"{name}: {value}: no such folder; {stage.name} reads it; put it there or name another")
    if not tree.list_file(split).is_file():
        there = ", ".join(tree.splits()) or "none"
        yield Missing(f"{tree.list_file(split)}: no such list; write it, or name one of {there}")


def _extra(value: str) -> Iterator[str]:
    for beginning, (package, purpose, remedy) in EXTRAS.items():
        if value.startswith(f"{beginning}.") and find_spec(package) is None:
            yield f"{value}: {purpose} needs the package {package}; {remedy}"


def _pretrained(settings: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting that asks for weights of timm's hub, and the model."""
    if isinstance(settings, dict):
        named = next((settings[name] for name in NAMES if isinstance(settings.get(name), str)), None)
        if settings.get("pretrained") is True and named:
            yield f"{path}.pretrained", named
        for key, value in settings.items():
            yield from _pretrained(value, f"{path}.{key}" if path else str(key))


_FETCH = (
    "`mars weights fetch` with the same words brings them where there is a network; weights= and HF_HOME name folders "
    "that have them"
)


def _to_be_had(name: str) -> bool:
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url

    if cached(name):
        return True
    if constants.HF_HUB_OFFLINE:
        return False
    try:
        get_hf_file_metadata(hf_hub_url(repository(name), WEIGHTS_FILES[0]), timeout=10)
    except Exception:  # whatever stands between us and the hub, the weights are not to be had
        return False
    return True
