"""How each module's fit moves its weights: parameter groups, weight decay, optimiser, schedule, as its code makes them.

The modules would have to be imported, and their networks built, to be asked; a test builds them and compares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mars_pl.pipeline.settings.resolved import Settings
from mars_pl.pipeline.settings.signature import read_signature

Rows = dict[str, Any]
Rates = dict[str, float]
"""Learning rate of each parameter group."""

POLY = "mars_pl.training.optimisation.poly"


def by_role(model: Settings, network: Settings) -> Rates:
    """Rates of `groups_by_role`: what is new learns faster, and biases twice as fast as weights."""
    lr, factor = float(model["lr"]), float(model["head_factor"])
    return {"backbone": lr, "backbone biases": 2 * lr, "head": factor * lr, "head biases": 2 * factor * lr}


def two(model: Settings, network: Settings) -> Rates:
    """Rates of a backbone and of what is new."""
    return {"backbone": float(model["lr"]), "head": float(model["lr"]) * float(model["head_factor"])}


def edges(model: Settings, network: Settings) -> Rates:
    """Rates of IRNet's branches; the backbone is frozen."""
    lr, factor = float(model["lr"]), float(model["displacement_factor"])
    return {"edge branch": lr} | ({"displacement branch": factor * lr} if network.get("displacement", True) else {})


def deeplabv2(model: Settings, network: Settings) -> Rates:
    """As by role; the encoder has biases in its batch norms alone."""
    rates = by_role(model, network)
    if network.get("frozen_batch_norm", True):
        del rates["backbone biases"]
    return rates


def one(model: Settings, network: Settings) -> Rates:
    """One rate for all."""
    return {"all": float(model["lr"])}


def of_vectors(model: Settings, network: Settings) -> Rates:
    """One rate for all; biases, gains and other vectors are spared the decay."""
    return {"all": float(model["lr"]), "all biases": float(model["lr"])}


MODULES: dict[str, Callable[[Settings, Settings], Rates]] = {
    "ClassificationModule": two,
    "OutOfDistributionModule": two,
    "CLIMSModule": two,
    "IRNModule": edges,
    "SEAMModule": by_role,
    "AffinityModule": by_role,
    "SingleStageModule": two,
    "CaptionModule": of_vectors,
}
"""Modules with SGD (or AdamW) and the poly schedule, whatever their network."""

NETWORKS = {
    "DeepLabV1": by_role,
    "DeepLabV2": deeplabv2,
    "DeepLabV3Plus": two,
    "DHRDeepLabV1": two,
    "DHRDeepLabV2": two,
    "AdaptedNetwork": one,
}
"""Segmenters, which say their groups themselves."""

LAST_STAGE = ("SegmentationModule", "ADELEModule", "DHRModule")
"""Modules of a segmenter; DHR's classifier learns as fast as the segmenter's head."""

VALIDATED = (
    "ClassificationModule",
    "OutOfDistributionModule",
    "CLIMSModule",
    "SEAMModule",
    "SingleStageModule",
    *LAST_STAGE,
)
"""Modules with a validation."""


def learning_rows(kind: str, model: Settings, network_kind: str, network: Settings) -> Rows:
    """Return what moves the weights; nothing of a module that is not ours.

    Args:
        kind: of the module, the name of its class.
        model: its settings, defaults too.
        network_kind: of its network, likewise.
        network: likewise.
    """
    if kind == "STEGOModule":
        return {"lr head": model["lr"], "weight decay": 0.0, "optimiser": "Adam", "schedule": "constant"}
    if kind == "LeopartModule":
        rows: Rows = {"lr backbone": model["lr"], "lr head": model["head_lr"]}
        decay = " to ".join(f"{value:g}" for value in model["weight_decay"])
        return rows | {
            "weight decay": f"{decay} along a cosine",
            "bias decay": 0.0,
            "optimiser": "AdamW",
            "schedule": "cosine to 0",
        }
    rates = NETWORKS.get(network_kind) if kind in LAST_STAGE else MODULES.get(kind)
    if rates is None:
        return {}
    rows = {f"lr {group}": rate for group, rate in rates(model, network).items()}
    if kind == "ADELEModule":
        rows["lr shares of the scales"] = float(model["lr"])  # without decay
    rows["weight decay"] = model["weight_decay"]
    if any(group.endswith("biases") for group in rows):
        rows["bias decay"] = 0.0
    sgd = model["optimizer"] == "sgd"
    rows["optimiser"] = f"SGD, momentum {model['momentum']:g}" if sgd else "AdamW"
    signature = read_signature(POLY)
    power = signature.defaults["power"] if signature else ""
    every = model.get("lr_every", 1)
    rows["schedule"] = f"poly {power}, every {'step' if every == 1 else f'{every} steps'}"
    return rows
