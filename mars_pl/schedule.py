"""The learning-rate schedule every fit here uses."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def poly(optimizer: Optimizer, total_steps: int, power: float = 0.9) -> LambdaLR:
    """Decay the learning rate as (1 − step / total)^power, per optimiser step (DeepLab's schedule; IRNet and DHR too).

    Raises:
        ValueError: where ``total_steps`` is not positive.
    """
    if total_steps <= 0:
        raise ValueError(f"a schedule needs at least one optimiser step, got {total_steps}")
    return LambdaLR(optimizer, lambda step: (1 - min(step, total_steps - 1) / total_steps) ** power)
