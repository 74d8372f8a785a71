"""Dilations as the published networks have them, where timm's differ."""

from __future__ import annotations

from collections.abc import Sequence

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


def dilate_first_blocks(resnet: nn.Module, dilations: Sequence[int]) -> None:
    """Set the dilation of the first block of ``layer3`` and of ``layer4``, in place; its output keeps its size.

    Every block has the stage's dilation in kazuto1011/deeplab-pytorch (libs/models/resnet.py), so its first blocks have
    2 and 4 at output stride 8; none of RS+EPM's and DHR's is dilated (core/backbones/resnet/model.py: 1 and 1); timm's
    and torchvision's have the dilation of the stage before (1 and 2).

    Args:
        resnet: of timm, or its feature extractor.
        dilations: of the two blocks' 3×3 convolutions.

    Raises:
        ValueError: where the network has no such stages.
    """
    for stage, dilation in zip(("layer3", "layer4"), dilations, strict=True):
        blocks = getattr(resnet, stage, None)
        if blocks is None:
            raise ValueError(f"first_dilations: this encoder has no {stage}, so is no ResNet; leave them out (null)")
        for layer in blocks[0].modules():
            if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
                layer.dilation = layer.padding = (dilation, dilation)
