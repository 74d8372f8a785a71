"""The names of Caffe's ResNets, in the layers that DeepLabv2's encoder has them in (timm's)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import timm
import torch
from torch import Tensor

STEM = ("conv1", "bn1")
BRANCHES = {
    "1": ("downsample.0", "downsample.1"),
    "2a": ("conv1", "bn1"),
    "2b": ("conv2", "bn2"),
    "2c": ("conv3", "bn3"),
}
"""Convolution and batch norm of each branch of a block."""

PARTS = {"shortcut": "1", "reduce": "2a", "conv3x3": "2b", "increase": "2c"}
"""Their names in kazuto1011/deeplab-pytorch, by those of Caffe."""

DEPTHS = {6: "resnet50", 23: "resnet101", 36: "resnet152"}
"""timm's names by the blocks of the third stage."""

IMAGENET_CLASSES = 1000
LAYER = re.compile(r"(res|bn|scale)([2-5])([a-z]|b\d+)_branch(1|2[abc])")
CONVERTED = re.compile(r"layer([2-5])\.block(\d+)\.(\w+)\.(conv|bn)\.(\w+)")


def from_layers(layers: Mapping[str, Sequence[Tensor]]) -> dict[str, Tensor]:
    """Return a timm ResNet's state dict from the blobs of a caffemodel, its classifier included.

    Caffe keeps sums of batch norms' statistics with their count as a third blob, and their scale and shift in a layer
    of its own (``bn2a_branch2a``, ``scale2a_branch2a``); layers of other names are left out.

    Args:
        layers: blobs by the layer's name, as ``ResNet-101-model.caffemodel`` has them.

    Raises:
        ValueError: where it is no ResNet of ImageNet's, see ``_checked``.
    """
    found: dict[str, Tensor] = {}
    for name, blobs in layers.items():
        if name.startswith("fc"):
            found |= {f"fc.{part}": blob for part, blob in zip(("weight", "bias"), blobs, strict=False)}
            continue
        if name in ("conv1", "bn_conv1", "scale_conv1"):
            kind, place, branch = {"conv1": "res", "bn_conv1": "bn", "scale_conv1": "scale"}[name], "", STEM
        elif match := LAYER.fullmatch(name):
            kind, place, branch = match[1], f"{_block(match[2], match[3])}.", BRANCHES[match[4]]
        else:
            continue
        convolution, norm = (place + layer for layer in branch)
        if kind == "res":
            found[f"{convolution}.weight"] = blobs[0]
        elif kind == "bn":
            count = blobs[2].flatten()[0] if blobs[2].any() else 1
            found |= {f"{norm}.running_mean": blobs[0] / count, f"{norm}.running_var": blobs[1] / count}
        else:
            found |= {f"{norm}.weight": blobs[0], f"{norm}.bias": blobs[1]}
    return _checked(found)


def from_converted(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the same from a state dict of deeplab-pytorch's names (``layer2.block1.reduce.conv.weight``).

    Args:
        state: with or without the prefix ``base.``, as convert.py writes it and AdvCAM's authors publish ImageNet's.

    Raises:
        ValueError: as ``from_layers``.
    """
    found: dict[str, Tensor] = {}
    for key, tensor in state.items():
        name = key.removeprefix("module.").removeprefix("base.")
        if match := CONVERTED.fullmatch(name):
            stage, block, part, kind, value = match.groups()
            layer = BRANCHES[PARTS[part]][kind == "bn"]
            found[f"layer{int(stage) - 1}.{int(block) - 1}.{layer}.{value}"] = tensor
        elif match := re.fullmatch(r"layer1\.conv1\.(conv|bn)\.(\w+)", name):
            found[f"{'conv1' if match[1] == 'conv' else 'bn1'}.{match[2]}"] = tensor
        else:
            found[name] = tensor
    return _checked(found)


def depth(state: Mapping[str, Tensor]) -> str:
    """Return the timm name of the ResNet whose state dict this is, by the blocks of its third stage.

    Raises:
        ValueError: where it is none.
    """
    blocks = {key.split(".")[1] for key in state if key.startswith("layer3.")}
    if len(blocks) not in DEPTHS:
        raise ValueError(f"no ResNet-50, -101 or -152 of Caffe's ({len(blocks)} blocks in the third stage)")
    return DEPTHS[len(blocks)]


def _checked(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Turn the first convolution from BGR to RGB, and refuse weights of another network or another training.

    Raises:
        ValueError: where weights are missing, or were learnt from masks (COCO's classifier, a segmentation head).
    """
    name = depth(found)
    classes = len(found["fc.bias"]) if "fc.bias" in found else IMAGENET_CLASSES
    if classes != IMAGENET_CLASSES or any(key.startswith("aspp.") for key in found):
        raise ValueError(
            "weights that learnt from masks (a classifier of pixels, as deeplab-pytorch's of COCO have), with which "
            "supervision would not be weak; take those of ImageNet"
        )
    if "fc.weight" in found:
        found["fc.weight"] = found["fc.weight"].reshape(IMAGENET_CLASSES, -1)
        found["fc.bias"] = found["fc.bias"].flatten()
    with torch.device("meta"):
        wanted = timm.create_model(name).state_dict()
    for key, tensor in wanted.items():
        optional = key.endswith("num_batches_tracked") or (key.startswith("fc.") and "fc.weight" not in found)
        if not optional and (key not in found or found[key].numel() != tensor.numel()):
            raise ValueError(f"no {name} of Caffe's: {key} is missing or has another shape")
    found = {key: found[key].reshape(tensor.shape) for key, tensor in wanted.items() if key in found}
    found["conv1.weight"] = found["conv1.weight"].flip(1)
    return found


def _block(stage: str, block: str) -> str:
    """``layer2.1`` of ``3b`` or ``3b1``, whose first block is ``3a``."""
    place = int(block[1:]) if len(block) > 1 else ord(block) - ord("a")
    return f"layer{int(stage) - 1}.{place}"
