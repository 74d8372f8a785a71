"""The exponential moving average that makes a teacher (§3.4, RS+EPM)."""

from __future__ import annotations

import math
from typing import Any, Literal

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from mars_pl.training.moving_average import ema_update


class EMATeacher(Callback):
    """Moves a module's ``teacher`` towards its ``network`` after every optimiser step, batch norm statistics included.

    At step t = 1, 2, … the teacher keeps a share of itself that grows by one of two ramps:

    - ``mean``: min(decay, 1 − 1/(t + 1)), the mean of all states so far until the horizon 1 / (1 − decay) is reached,
      so that a short fit forgets its random start too.
    - ``exponential``: decay · (1 − exp(−t / ramp_steps)), as RS+EPM has it (tools/ai/torch_utils.py, decay .9999).

    Args:
        decay: in [0, 1] (DHR: .999); choose its horizon shorter than the fit.
        ramp: how the share grows.
        ramp_steps: of the exponential ramp (RS+EPM: 2000); the other has none.

    Raises:
        ValueError: where decay or ramp are none of these.
    """

    def __init__(
        self, decay: float = 0.999, ramp: Literal["mean", "exponential"] = "mean", ramp_steps: int = 2000
    ) -> None:
        if not 0 <= decay <= 1:
            raise ValueError(f"decay: a share in [0, 1], not {decay}")
        if ramp not in ("mean", "exponential"):
            raise ValueError(f"ramp: mean or exponential, not {ramp}")
        if ramp_steps < 1:
            raise ValueError(f"ramp_steps: at least one optimiser step, not {ramp_steps}")
        self.decay, self.ramp, self.ramp_steps = decay, ramp, ramp_steps
        self.updates = 0
        self.initial_share = 1.0
        """What is left of the initial weights in the teacher: the product of all decays so far."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start counting optimiser steps where the fit, new or resumed, stands."""
        self._step = trainer.global_step

    def on_train_batch_end(  # noqa: D102 - Lightning's hook
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        if trainer.global_step == self._step:  # gradients are still being accumulated
            return
        self._step = trainer.global_step
        self.updates += 1
        decay = self.kept_at(self.updates)
        ema_update(pl_module.teacher, pl_module.network, decay)  # type: ignore[arg-type]
        self.initial_share *= decay
        pl_module.log("teacher/initial_share", self.initial_share)

    def kept_at(self, step: int) -> float:
        """Share of itself that the teacher keeps at optimiser step ``step``, counted from 1."""
        if self.ramp == "exponential":
            return self.decay * (1 - math.exp(-step / self.ramp_steps))
        return min(self.decay, 1 - 1 / (step + 1))

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed fit needs to go on."""
        return {"updates": self.updates, "initial_share": self.initial_share}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was taken."""
        self.updates, self.initial_share = state_dict["updates"], state_dict["initial_share"]
