"""Depthwise convolutions that learn in float32 on a CPU, while all else is in bfloat16."""

from __future__ import annotations

from functools import partial

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor, nn

from callbacks.varied_sizes import depthwise_convolutions


class DepthwisePrecision(Callback):
    """Lets a fit in bfloat16 on a CPU compute its depthwise convolutions in float32.

    Their gradients take oneDNN two to thirty times as long in bfloat16 as in float32, a quarter of the step of an
    EfficientNet classifier; where no gradient is wanted they stay in bfloat16.
    """

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Wrap the convolutions of the module that is to be trained."""
        if stage == "fit" and trainer.strategy.root_device.type == "cpu" and trainer.precision == "bf16-mixed":
            for convolution in depthwise_convolutions(pl_module):
                convolution.forward = partial(_in_float32, convolution)  # type: ignore[method-assign]


def _in_float32(convolution: nn.Conv2d, features: Tensor) -> Tensor:
    forward = type(convolution).forward
    if not torch.is_grad_enabled():
        return forward(convolution, features)
    with torch.autocast("cpu", enabled=False):
        return forward(convolution, features.float())
