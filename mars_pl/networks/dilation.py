"""Dilation taken out of a network, for methods that only keep the stride of a late stage at 1."""

from __future__ import annotations

from torch import nn


def undilate(module: nn.Module) -> None:
    """Give every dilated convolution of ``module`` dilation 1, in place; its output keeps its size.

    timm dilates the stages that an output stride robs of their stride; the ResNets of IRNet and RS+EPM do not
    (``last_stride`` 1, dilations 1: core/backbones/resnet/__init__.py of RS+EPM).
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d) and layer.dilation != (1, 1):
            if any(layer.padding):  # timm's convolutions of "same" padding pad by themselves and have none here
                layer.padding = tuple(side // 2 for side in layer.kernel_size)
            layer.dilation = (1, 1)
