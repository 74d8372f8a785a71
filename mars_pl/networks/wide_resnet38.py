"""Wide ResNet-38 at stride 8 (Wu et al. 2016, model A1), with the names of PSA's and SEAM's network/resnet38d.py."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.freezing import freeze, freeze_batch_norms
from mars_pl.networks.intermediate_features import IntermediateFeatureBackbone, IntermediateFeatures
from mars_pl.training.weights import load_weights

FRONT = ("conv1a.", "b2.", "b2_1.", "b2_2.")
"""What SEAM and PSA freeze: the first convolution and the blocks at stride 2."""


class WideBlock(nn.Module):
    """Pre-activation residual block of two 3×3 convolutions.

    Args:
        inputs: channels.
        middle: channels between the convolutions.
        outputs: channels.
        stride: of the first convolution.
        dilation: of the second convolution.
        first_dilation: of the first; by default that of the second.
    """

    def __init__(
        self,
        inputs: int,
        middle: int,
        outputs: int,
        stride: int = 1,
        dilation: int = 1,
        first_dilation: int | None = None,
    ) -> None:
        super().__init__()
        first = first_dilation or dilation
        self.bn_branch2a = nn.BatchNorm2d(inputs)
        self.conv_branch2a = nn.Conv2d(inputs, middle, 3, stride, padding=first, dilation=first, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(middle)
        self.conv_branch2b1 = nn.Conv2d(middle, outputs, 3, padding=dilation, dilation=dilation, bias=False)
        same_shape = inputs == outputs and stride == 1
        self.conv_branch1 = None if same_shape else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the block's output, and its input after batch norm and ReLU, an intermediate feature map."""
        active = F.relu(self.bn_branch2a(features))
        shortcut = features if self.conv_branch1 is None else self.conv_branch1(active)
        residual = self.conv_branch2a(active)
        residual = self.conv_branch2b1(F.relu(self.bn_branch2b1(residual)))
        return shortcut + residual, active


class BottleneckBlock(nn.Module):
    """Pre-activation bottleneck (1×1, 3×3, 1×1) with dropout of whole channels.

    Args:
        inputs: channels.
        outputs: channels; a quarter and a half of them lie between.
        dilation: of the 3×3 convolution.
        dropout: share of channels.
    """

    def __init__(self, inputs: int, outputs: int, dilation: int, dropout: float) -> None:
        super().__init__()
        quarter, half = outputs // 4, outputs // 2
        self.bn_branch2a = nn.BatchNorm2d(inputs)
        self.conv_branch2a = nn.Conv2d(inputs, quarter, 1, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(quarter)
        self.conv_branch2b1 = nn.Conv2d(quarter, half, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn_branch2b2 = nn.BatchNorm2d(half)
        self.conv_branch2b2 = nn.Conv2d(half, outputs, 1, bias=False)
        self.conv_branch1 = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the block's output, and its input after batch norm and ReLU."""
        active = F.relu(self.bn_branch2a(features))
        residual = self.conv_branch2a(active)
        residual = self.conv_branch2b1(self.dropout(F.relu(self.bn_branch2b1(residual))))
        residual = self.conv_branch2b2(self.dropout(F.relu(self.bn_branch2b2(residual))))
        return self.conv_branch1(active) + residual, active


def _blocks() -> dict[str, nn.Module]:
    """The residual blocks by their published names, in their order."""
    wide = {"b2": (64, 128, 3), "b3": (128, 256, 3), "b4": (256, 512, 6)}
    blocks: dict[str, nn.Module] = {}
    for name, (inputs, channels, count) in wide.items():
        blocks[name] = WideBlock(inputs, channels, channels, stride=2)
        blocks |= {f"{name}_{index}": WideBlock(channels, channels, channels) for index in range(1, count)}
    blocks["b5"] = WideBlock(512, 512, 1024, dilation=2, first_dilation=1)
    blocks |= {f"b5_{index}": WideBlock(1024, 512, 1024, dilation=2) for index in (1, 2)}
    blocks["b6"] = BottleneckBlock(1024, 2048, dilation=4, dropout=0.3)
    blocks["b7"] = BottleneckBlock(2048, 4096, dilation=4, dropout=0.5)
    return blocks


class WideResNet38(IntermediateFeatureBackbone):
    """Wide ResNet-38 with intermediate features conv4 (512 channels), conv5 (1024) and conv6 (4096), all at stride 8.

    Args:
        weights: safetensors of ImageNet weights under the published names, which are those of
            ``ilsvrc-cls_rna-a1_cls1000_ep-0001.params`` converted as in network/resnet38d.py.
        frozen_front: no gradient up to and including the blocks at stride 2.
        frozen_batch_norm: keep statistics, scales and shifts, as SEAM and PSA do; DeepLabv1 trains them.
        batch_norm_momentum: of the running statistics, where they are not frozen; DeepLabv1 has 3e-4.
    """

    def __init__(
        self,
        weights: str | None = None,
        frozen_front: bool = True,
        frozen_batch_norm: bool = True,
        batch_norm_momentum: float = 0.1,
    ) -> None:
        super().__init__()
        self.channels = (512, 1024, 4096)
        self.stride = 8
        self.conv1a = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        blocks = _blocks()
        for name, block in blocks.items():
            self.add_module(name, block)
        self._names = tuple(blocks)
        self.bn7 = nn.BatchNorm2d(4096)
        for part in self.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = batch_norm_momentum
        if weights is not None:
            load_weights(self, weights)
        if frozen_front:
            freeze(self, FRONT)
        self.frozen_batch_norm = frozen_batch_norm
        if frozen_batch_norm:
            freeze_batch_norms(self)
        self.train()  # Lightning keeps the modes it finds

    def forward(self, image: Tensor) -> IntermediateFeatures:
        """Map normalised images (B, 3, H, W) to conv4, conv5 and conv6."""
        features = self.conv1a(image)
        active: dict[str, Tensor] = {}
        for name in self._names:
            features, active[name] = self.get_submodule(name)(features)
        return active["b5"], active["b6"], F.relu(self.bn7(features))
