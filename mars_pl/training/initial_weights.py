"""Settings that fetch weights to start from: where a finished fit's file replaces all of them, they are left out."""

from __future__ import annotations

from argparse import Namespace
from inspect import signature
from pkgutil import resolve_name
from typing import Any

Settings = dict[str, Any] | Namespace

HELD = ("network", "affinity_net")
"""What a module's file of weights holds; a ``backbone`` or ``feature_extractor`` beside it is not in there."""

UNTRAINED: dict[str, Any] = {
    "weights": None,
    "classifier_weights": None,
    "published": None,
    "pretrained": False,
    "checkpoint_path": None,  # of timm.create_model
    "encoder_weights": None,  # of segmentation-models-pytorch
    "weights_backbone": None,  # of torchvision
}
"""Settings of networks that name or fetch initial weights, and their values for random ones."""


def leave_out_initial_weights(module: Settings) -> None:
    """Let the parts of a module that its own ``weights`` hold start from random ones, so that nothing is fetched.

    Args:
        module: its ``init_args``; changed in place.
    """
    for name, part in _fields(module).items():
        if name in HELD and isinstance(part, dict | Namespace):
            start_from_random(part)


def start_from_random(settings: Settings) -> None:
    """Replace, in place and at any depth, what fetches weights.

    A network of another package may fetch them where nothing is said (``encoder_weights`` of
    segmentation-models-pytorch), so what its constructor takes is said.
    """
    fields = _fields(settings)
    for name, value in fields.items():
        if isinstance(value, dict | Namespace):
            start_from_random(value)
        elif name in UNTRAINED and isinstance(value, str | bool):
            fields[name] = UNTRAINED[name]
    if isinstance(fields.get("path"), str) and "options" in fields:  # an AdaptedNetwork
        fields["options"] = {**(fields["options"] or {}), **_taken_by(fields["path"])}


def _fields(settings: Settings) -> dict[str, Any]:
    return settings if isinstance(settings, dict) else vars(settings)


def _taken_by(path: str) -> dict[str, Any]:
    """The settings of ``UNTRAINED`` that a constructor has; what cannot be imported says so when it is built."""
    try:
        parameters = signature(resolve_name(path)).parameters
    except (ImportError, AttributeError, ValueError, TypeError):
        return {}
    return {name: value for name, value in UNTRAINED.items() if name in parameters}
