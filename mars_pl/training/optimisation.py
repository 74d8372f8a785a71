"""The optimisers and the learning-rate schedule of every fit that reads labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

Kind = Literal["sgd", "adamw"]
"""``sgd`` as in every published recipe; ``adamw`` learns small networks from random weights sooner."""


def poly(optimizer: Optimizer, total_steps: int, power: float = 0.9, every: int = 1) -> LambdaLR:
    """Decay the learning rate as (1 − step / total)^power, per optimiser step (DeepLab's schedule; IRNet and DHR too).

    Args:
        optimizer: whose groups all decay alike.
        total_steps: optimiser steps of the fit.
        power: of the decay.
        every: the rate changes at multiples of this many steps (kazuto1011/deeplab-pytorch: 10).

    Raises:
        ValueError: where ``total_steps`` or ``every`` is not positive.
    """
    if total_steps <= 0:
        raise ValueError(f"a schedule needs at least one optimiser step, got {total_steps}")
    if every <= 0:
        raise ValueError(f"lr_every: at least one optimiser step, not {every}")
    return LambdaLR(optimizer, lambda step: (1 - min(step, total_steps - 1) // every * every / total_steps) ** power)


def optimisation(
    kind: Kind,
    groups: list[dict[str, Any]],
    lr: float,
    momentum: float,
    weight_decay: float,
    total_steps: int,
    lr_every: int = 1,
) -> OptimizerLRScheduler:
    """Return optimiser and poly schedule in the form that Lightning takes.

    Args:
        kind: of the optimiser.
        groups: parameters, some with an ``lr`` or ``weight_decay`` of their own.
        lr: of the other groups.
        momentum: of SGD.
        weight_decay: of the other groups.
        total_steps: optimiser steps of the fit.
        lr_every: optimiser steps from one change of the rate to the next.
    """
    optimizer: Optimizer
    if kind == "sgd":
        optimizer = SGD(groups, lr=lr, momentum=momentum, weight_decay=weight_decay)
    else:
        optimizer = AdamW(groups, lr=lr, weight_decay=weight_decay)
    schedule = poly(optimizer, total_steps, every=lr_every)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def groups_by_role(
    backbone: Iterable[nn.Module], heads: Iterable[nn.Module], lr: float, head_factor: float
) -> list[dict[str, Any]]:
    """Parameter groups of DeepLab's recipes: weights, biases, and both of the parts that start from random.

    Biases learn twice as fast as weights and do not decay (PSA, SEAM and DeepLabv2: 1, 2, 10 and 20 times ``lr``).
    Frozen parameters are left out, and so are groups without any.

    Args:
        backbone: pretrained parts.
        heads: parts that learn ``head_factor`` times faster.
        lr: of the backbone's weights.
        head_factor: 10 in the published recipes.
    """
    groups = []
    for parts, rate in ((backbone, lr), (heads, lr * head_factor)):
        named = [item for part in parts for item in part.named_parameters() if item[1].requires_grad]
        biases = [parameter for name, parameter in named if name.endswith("bias")]
        weights = [parameter for name, parameter in named if not name.endswith("bias")]
        groups.append({"params": weights, "lr": rate})
        groups.append({"params": biases, "lr": 2 * rate, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]
