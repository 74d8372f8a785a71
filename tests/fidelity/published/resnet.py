"""The ResNet under IRN's and AdvCAM's networks (net/resnet50.py, misc/imutils.py), in float64 by plain operations."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

State = dict[str, Tensor]
STRIDES = (1, 2, 2, 1)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def in_double(state: State, learning: bool = False) -> State:
    """Cast a published file; with ``learning`` every tensor of floats takes a gradient."""
    return {
        key: value.double().requires_grad_(learning) if value.is_floating_point() else value
        for key, value in state.items()
    }


def normalised(image: Tensor) -> Tensor:
    """uint8 (3, H, W) → ((value / 255) − mean) / deviation."""
    return torch.stack([(image[k].double() / 255 - MEAN[k]) / STD[k] for k in range(3)])


def norm(state: State, name: str, x: Tensor) -> Tensor:
    """A batch norm that always takes its running statistics."""
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    shape = (1, -1, 1, 1)
    scaled = (x - mean.view(shape)) / (variance.view(shape) + 1e-5).sqrt()
    return scaled * state[f"{name}.weight"].view(shape) + state[f"{name}.bias"].view(shape)


def bottleneck(state: State, name: str, x: Tensor, stride: int) -> Tensor:
    """1×1, 3×3 that strides, 1×1; nothing dilates."""
    out = norm(state, f"{name}.bn1", F.conv2d(x, state[f"{name}.conv1.weight"])).relu()
    out = norm(state, f"{name}.bn2", F.conv2d(out, state[f"{name}.conv2.weight"], stride=stride, padding=1)).relu()
    out = norm(state, f"{name}.bn3", F.conv2d(out, state[f"{name}.conv3.weight"]))
    if f"{name}.downsample.0.weight" in state:
        x = norm(state, f"{name}.downsample.1", F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride))
    return (out + x).relu()


def five_maps(state: State, x: Tensor, detached_after: int = 0) -> list[Tensor]:
    """Map normalised (B, 3, H, W) to the stem after pooling and the four layers; one of them may pass no gradient."""
    x = F.conv2d(x, state["resnet50.conv1.weight"].detach(), stride=2, padding=3)
    stem = {key: value.detach() for key, value in state.items() if key.startswith("resnet50.bn1.")}
    maps = [F.max_pool2d(norm(stem, "resnet50.bn1", x).relu(), 3, 2, 1)]
    for layer, stride in enumerate(STRIDES, start=1):
        x, block = maps[-1], 0
        while f"resnet50.layer{layer}.{block}.conv1.weight" in state:
            x = bottleneck(state, f"resnet50.layer{layer}.{block}", x, stride if block == 0 else 1)
            block += 1
        maps.append(x.detach() if layer == detached_after else x)
    return maps


def cubic(x: float) -> float:
    """Keys' kernel with a = −½."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def weights(size: int, target: int) -> Tensor:
    """Rows of a resize along one side: the kernel is as wide as a target pixel where that is the larger."""
    factor = size / target
    width = max(factor, 1.0)
    rows = torch.zeros(target, size, dtype=torch.float64)
    for place in range(target):
        centre = (place + 0.5) * factor
        for pixel in range(max(int(centre - 2 * width + 0.5), 0), min(int(centre + 2 * width + 0.5), size)):
            rows[place, pixel] = cubic((pixel + 0.5 - centre) / width)
    return rows / rows.sum(1, keepdim=True)


def bicubic(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (3, H, W), before rounding: what PIL means to do."""
    return weights(image.shape[1], size[0]) @ image.double() @ weights(image.shape[2], size[1]).T


def rounded(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize uint8 (3, H, W) and round once."""
    if tuple(image.shape[1:]) == size:
        return image
    return bicubic(image, size).round().clamp(0, 255).to(torch.uint8)


def by_pil(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize uint8 (3, H, W) by PIL itself, which rounds and cuts after the rows and once more after the columns."""
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    return torch.from_numpy(np.array(picture.resize(size[::-1], Image.BICUBIC))).permute(2, 0, 1)
