"""Whole images of any size on a GPU, without a wait for each new size."""

from __future__ import annotations

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import nn


class VariedSizes(Callback):
    """Leaves cuDNN out while a network with depthwise convolutions looks at whole images.

    cuDNN 9.10 and later compile a plan for every depthwise convolution and every size of its input, which takes a
    second; PyTorch's own kernels take any size at once. Crops of a training have one size, so cuDNN stays there.
    """

    def __init__(self) -> None:
        self._before = torch.backends.cudnn.enabled

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave it out."""
        self._before = torch.backends.cudnn.enabled
        torch.backends.cudnn.enabled = self._before and not depthwise_convolutions(pl_module)

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put it back."""
        torch.backends.cudnn.enabled = self._before

    on_validation_start = on_test_start = on_predict_start
    on_validation_end = on_test_end = on_predict_end


def depthwise_convolutions(network: nn.Module) -> list[nn.Conv2d]:
    """List the convolutions that see each channel by itself, as those of MobileNets and EfficientNets do."""
    convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d)]
    return [part for part in convolutions if part.groups == part.in_channels > 1]
