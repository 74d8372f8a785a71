"""Names and shapes in the files that jiwoon-ahn/irn and jbeomlee93/AdvCAM save: a ResNet-50 and what stands on it."""

from __future__ import annotations

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
BLOCKS = (3, 4, 6, 3)
WIDTHS = (64, 128, 256, 512)
STAGES = {"stage1.4.": "layer1.", "stage2.0.": "layer2.", "stage3.0.": "layer3.", "stage4.0.": "layer4."}
"""net/resnet50_cam.py names the layers once more."""


def batch_norm(prefix: str, channels: int) -> Shapes:
    shapes: Shapes = {f"{prefix}.{name}": (channels,) for name in ("weight", "bias", "running_mean", "running_var")}
    return shapes | {f"{prefix}.num_batches_tracked": ()}


def resnet(blocks: tuple[int, ...] = BLOCKS, widths: tuple[int, ...] = WIDTHS) -> Shapes:
    """net/resnet50.py: torchvision's resnet50-19c8e357.pth without its classifier; smaller ones by the same rule."""
    shapes: Shapes = {"conv1.weight": (64, 3, 7, 7), **batch_norm("bn1", 64)}
    inputs = 64
    for layer, (depth, planes) in enumerate(zip(blocks, widths, strict=True), start=1):
        for block in range(depth):
            prefix, outputs = f"layer{layer}.{block}", 4 * planes
            shapes |= {f"{prefix}.conv1.weight": (planes, inputs, 1, 1), **batch_norm(f"{prefix}.bn1", planes)}
            shapes |= {f"{prefix}.conv2.weight": (planes, planes, 3, 3), **batch_norm(f"{prefix}.bn2", planes)}
            shapes |= {f"{prefix}.conv3.weight": (outputs, planes, 1, 1), **batch_norm(f"{prefix}.bn3", outputs)}
            if block == 0:
                shapes |= {f"{prefix}.downsample.0.weight": (outputs, inputs, 1, 1)}
                shapes |= batch_norm(f"{prefix}.downsample.1", outputs)
            inputs = outputs
    return shapes


def branches(widths: tuple[int, ...] = WIDTHS) -> Shapes:
    """The edge and displacement branches of net/resnet50_irn.py."""
    inputs = (64, *(4 * width for width in widths))
    shapes: Shapes = {}
    for level, (channels, field) in enumerate(zip(inputs, (64, 128, 256, 256, 256), strict=True), start=1):
        shapes |= _branch(f"fc_edge{level}", channels, 32) | _branch(f"fc_dp{level}", channels, field)
    shapes |= {"fc_edge6.weight": (1, 160, 1, 1), "fc_edge6.bias": (1,)}
    shapes |= _branch("fc_dp6", 768, 256) | _branch("fc_dp7", 448, 256) | {"fc_dp7.3.weight": (2, 256, 1, 1)}
    return shapes


def _branch(name: str, inputs: int, outputs: int) -> Shapes:
    norm: Shapes = {f"{name}.1.{part}": (outputs,) for part in ("weight", "bias")}
    return {f"{name}.0.weight": (outputs, inputs, 1, 1)} | norm


def drawn(shapes: Shapes, seed: int = 0) -> dict[str, Tensor]:
    """Draw tensors that keep a signal's size: kernels by their inputs, norms about 1, biases and means about 0."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, shape in shapes.items():
        value = torch.randn(shape, generator=generator)
        if key.endswith("running_var") or (key.endswith("weight") and len(shape) == 1):
            value = 1 + 0.2 * value.abs()
        elif len(shape) > 1:
            value *= (2 / value[0].numel()) ** 0.5
        else:
            value *= 0.1
        state[key] = value if shape else torch.zeros((), dtype=torch.long)
    return state


def cam_file(classes: int = 20, **network: tuple[int, ...]) -> dict[str, Tensor]:
    """What step/train_cam.py saves: each tensor by the names of the network, of its stages and of its lists."""
    shapes = {f"resnet50.{key}": shape for key, shape in resnet(**network).items()}
    outputs = 4 * network.get("widths", WIDTHS)[-1]
    state = drawn(shapes | {"classifier.weight": (classes, outputs, 1, 1)})
    aliases = {"stage1.0.weight": "resnet50.conv1.weight", "backbone.0.0.weight": "resnet50.conv1.weight"}
    aliases |= {"newly_added.0.weight": "classifier.weight"}
    for alias, layer in STAGES.items():
        aliases |= {
            key.replace(f"resnet50.{layer}", alias): key for key in shapes if key.startswith(f"resnet50.{layer}")
        }
    return state | {alias: state[key] for alias, key in aliases.items()}


def irn_file(**network: tuple[int, ...]) -> dict[str, Tensor]:
    """What step/train_irn.py saves: as above, with the path index and the mean of the displacement field."""
    shapes = {f"resnet50.{key}": shape for key, shape in resnet(**network).items()} | branches(
        network.get("widths", WIDTHS)
    )
    state = drawn(shapes | {"fc_dp7.4.running_mean": (2,), "mean_shift.running_mean": (2,)})
    aliases = {"stage1.0.weight": "resnet50.conv1.weight", "backbone.0.0.weight": "resnet50.conv1.weight"}
    aliases |= {"stage2.0.0.conv1.weight": "resnet50.layer1.0.conv1.weight", "edge_layers.5.bias": "fc_edge6.bias"}
    aliases |= {"dp_layers.6.3.weight": "fc_dp7.3.weight"}
    state |= {alias: state[key] for alias, key in aliases.items()}
    return state | {"path_indices0": torch.zeros(1), "disp_target": torch.zeros(1)}
