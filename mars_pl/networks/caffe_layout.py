"""The layout of Caffe's ResNets, whose weights DeepLabv2 starts from, where timm's and torchvision's differ."""

from __future__ import annotations

from typing import Literal

from torch import nn

Layout = Literal["torchvision", "caffe"]
"""What the weights of a ResNet were trained with: a stage's stride in its 3×3 convolution, or in the 1×1 before it."""

CAFFE_MEAN = (122.675 / 255, 116.669 / 255, 104.008 / 255)
CAFFE_STD = (1 / 255, 1 / 255, 1 / 255)
"""Of RGB in [0, 1]: Caffe's weights want the grey levels of 0…255 less these means, and not divided."""


def stride_in_first_convolution(resnet: nn.Module) -> None:
    """Move each stage's stride from its 3×3 convolution to the 1×1 before it, in place; maps keep their sizes.

    Caffe's ResNets have it there (kazuto1011/deeplab-pytorch, libs/models/resnet.py), torchvision's do not: weights
    of the one give other features in the layout of the other.

    Args:
        resnet: of timm, with bottleneck blocks, or its feature extractor.

    Raises:
        ValueError: where the network has no such blocks.
    """
    stages = [getattr(resnet, f"layer{number}", None) for number in (1, 2, 3, 4)]
    blocks = [stage[0] for stage in stages if isinstance(stage, nn.Sequential) and hasattr(stage[0], "conv3")]
    if len(blocks) != len(stages):
        raise ValueError("layout: this encoder is no ResNet with bottlenecks, so has no caffe layout; say torchvision")
    for block in blocks:
        first, second = block.get_submodule("conv1"), block.get_submodule("conv2")
        assert isinstance(first, nn.Conv2d) and isinstance(second, nn.Conv2d)
        first.stride, second.stride = second.stride, (1, 1)


def ceil_pooling(resnet: nn.Module) -> None:
    """Let the max pool of the stem keep a last row or column that does not fill its stride, in place.

    A side of 321 has 41 cells at stride 8 either way, its half, 160, has 21 instead of 20 (deeplab-pytorch's
    ``_Stem``). The pool has no weights, so any ResNet's may have it.

    Raises:
        ValueError: where the network has no max pool.
    """
    pool = getattr(resnet, "maxpool", None)
    if not isinstance(pool, nn.MaxPool2d):
        raise ValueError("ceil_mode: this encoder's stem has no max pool; set it to false")
    pool.ceil_mode = True
