"""Lightning glue that every module with one trained network shares: optimiser and schedule, weights, losses, export."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from mars_pl.training.optimisation import Kind, optimisation
from mars_pl.training.weights import load_weights


class TrainedModule(pl.LightningModule, ABC):
    """One network, an optimiser of its parameter groups, and the poly schedule per optimiser step.

    A module names all of these in its own constructor too, with the defaults of its recipe: the command line reads them
    there.

    Args:
        network: that learns.
        lr: of the groups that name no rate.
        optimizer: ``sgd`` as published, or ``adamw`` for small networks from random weights.
        head_factor: what is new learns this many times faster.
        momentum: of SGD.
        weight_decay: of the groups that name none.
        lr_every: optimiser steps from one change of the learning rate to the next.
        weights: safetensors file of a finished fit, loaded into the network.

    Raises:
        ValueError: where the weights are missing or another network's.
    """

    network: nn.Module

    def __init__(
        self,
        network: nn.Module,
        *,
        lr: float,
        optimizer: Kind,
        head_factor: float,
        momentum: float,
        weight_decay: float,
        lr_every: int = 1,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        if weights is not None:
            load_weights(network, weights)
        self.network = network
        self.optimizer: Kind = optimizer
        self.lr, self.head_factor, self.momentum, self.weight_decay = lr, head_factor, momentum, weight_decay
        self.lr_every = lr_every

    @abstractmethod
    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the optimiser's groups."""

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Optimise the groups; the rate decays over the optimiser steps of the whole fit."""
        steps = int(self.trainer.estimated_stepping_batches)
        groups = self.parameter_groups()
        return optimisation(self.optimizer, groups, self.lr, self.momentum, self.weight_decay, steps, self.lr_every)

    def log_training(self, batch: Mapping[str, Any], prog_bar: bool = False, **values: Tensor) -> None:
        """Log values of a training batch as ``train/<name>``."""
        self.log_dict(
            {f"train/{name}": value for name, value in values.items()}, prog_bar=prog_bar, batch_size=len(batch["id"])
        )

    def log_classes(self, name: str, values: Tensor) -> None:
        """Log a figure of each class as ``<name>/<class>``; of a class that has none, nothing.

        Args:
            name: of the figure.
            values: (C,), the same in all processes, with the background or without; NaN where there is none.
        """
        names = list(getattr(getattr(self.trainer, "datamodule", None), "class_names", None) or range(len(values)))
        for index, value in zip(names[len(names) - len(values) :], values.float(), strict=True):
            if not value.isnan():
                self.log(f"{name}/{index}", value, rank_zero_only=True)

    def export(self) -> nn.Module | dict[str, nn.Module]:
        """Return the network whose weights the next stage reads, or several by their files' names."""
        return self.network
