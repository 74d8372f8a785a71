"""The weights that STEGO's and Leopart's authors publish, under this project's keys.

STEGO and Leopart take DINO's transformer, whose keys and shapes are timm's; only what stands before them goes.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

Weights = dict[str, Tensor]

STEGO_HEAD = {
    "cluster1.0.weight": "linear.weight",
    "cluster1.0.bias": "linear.bias",
    "cluster2.0.weight": "nonlinear.0.weight",
    "cluster2.0.bias": "nonlinear.0.bias",
    "cluster2.2.weight": "nonlinear.2.weight",
    "cluster2.2.bias": "nonlinear.2.bias",
}
"""STEGO's names (`src/modules.py`, ``DinoFeaturizer``) and those of ``STEGOHead``."""

LEOPART_HEAD = ("projection_head.", "prototypes.")
"""What Leopart's network (`src/vit.py`) holds beside the transformer."""


def stego(state: Mapping[str, Tensor]) -> dict[str, Weights]:
    """Take STEGO's head (``weights``) and its transformer (``backbone``, where the file has it) out of a state dict.

    Probes and decoder stay behind. Published checkpoints say ``net.cluster1.0.weight`` and ``net.model.cls_token``;
    DHR's ``STEGO_VOC2012.pt`` holds the head alone, as dicts ``cluster1`` and ``cluster2``.

    Raises:
        ValueError: where a part of the head is missing.
    """
    marker = next(iter(STEGO_HEAD))
    prefix = next((key.removesuffix(marker) for key in state if key.endswith(marker)), "")
    missing = [f"{prefix}{key}" for key in STEGO_HEAD if f"{prefix}{key}" not in state]
    if missing:
        raise ValueError(f"no weights of STEGO's head: {len(missing)} keys missing (first: {missing[0]})")
    head = {ours: state[f"{prefix}{theirs}"] for theirs, ours in STEGO_HEAD.items()}
    backbone = _below(state, f"{prefix}model.")
    return {"weights": head, "backbone": backbone} if backbone else {"weights": head}


def leopart(state: Mapping[str, Tensor]) -> dict[str, Weights]:
    """Take the fine-tuned transformer (``weights``) out of a state dict: the student's where there is a teacher too.

    The released files put one word before every key, Lightning's ``model.`` and ``teacher.``. Projection and prototypes
    stay behind.

    Raises:
        ValueError: where there is no transformer.
    """
    prefixes = sorted({key.removesuffix("cls_token") for key in state if key.endswith("cls_token")})
    if not prefixes:
        raise ValueError("no weights of a transformer: no key ends with cls_token")
    prefix = "model." if "model." in prefixes else prefixes[0]
    found = _below(state, prefix)
    return {"weights": {key: value for key, value in found.items() if not key.startswith(LEOPART_HEAD)}}


def _below(state: Mapping[str, Tensor], prefix: str) -> Weights:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
