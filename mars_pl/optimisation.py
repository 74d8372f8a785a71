"""The optimisers and the learning-rate schedule of every fit that reads labels."""

from __future__ import annotations

from typing import Any, Literal

from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

Kind = Literal["sgd", "adamw"]
"""``sgd`` as in every published recipe; ``adamw`` learns small networks from random weights sooner."""


def poly(optimizer: Optimizer, total_steps: int, power: float = 0.9) -> LambdaLR:
    """Decay the learning rate as (1 − step / total)^power, per optimiser step (DeepLab's schedule; IRNet and DHR too).

    Raises:
        ValueError: where ``total_steps`` is not positive.
    """
    if total_steps <= 0:
        raise ValueError(f"a schedule needs at least one optimiser step, got {total_steps}")
    return LambdaLR(optimizer, lambda step: (1 - min(step, total_steps - 1) / total_steps) ** power)


def optimisation(
    kind: Kind, groups: list[dict[str, Any]], lr: float, momentum: float, weight_decay: float, total_steps: int
) -> OptimizerLRScheduler:
    """Return optimiser and poly schedule in the form that Lightning takes.

    Args:
        kind: of the optimiser.
        groups: parameters, some with an ``lr`` of their own.
        lr: of the other groups.
        momentum: of SGD.
        weight_decay: on all parameters.
        total_steps: optimiser steps of the fit.
    """
    optimizer: Optimizer
    if kind == "sgd":
        optimizer = SGD(groups, lr=lr, momentum=momentum, weight_decay=weight_decay)
    else:
        optimizer = AdamW(groups, lr=lr, weight_decay=weight_decay)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": poly(optimizer, total_steps), "interval": "step"}}
