"""DeepLabv2 of kazuto1011/deeplab-pytorch, DeepLabv1 of YudeWang/semantic-segmentation-codebase, and both of DHR.

By their formulas, in float64, from a state dict of the published names; nothing of ours is called.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

State = dict[str, Tensor]
MEAN_BGR = (104.008, 116.669, 122.675)
BLOCKS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}


def normalised(features: Tensor, state: State, name: str) -> Tensor:
    """Batch norm by its running statistics."""
    mean, variance, scale, shift = (
        state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (features - mean) / torch.sqrt(variance + 1e-5) * scale + shift


def convolved(features: Tensor, state: State, name: str, stride=1, padding=0, dilation=1) -> Tensor:
    return normalised(
        F.conv2d(features, state[f"{name}.conv.weight"], None, stride, padding, dilation), state, f"{name}.bn"
    )


def caffe_features(bgr: Tensor, state: State, name: str) -> Tensor:
    """The ResNet: a pool that rounds up, a stage's stride in the first 1×1, every block dilated as its stage."""
    features = F.relu(convolved(bgr, state, "layer1.conv1", 2, 3))
    features = F.max_pool2d(features, 3, 2, 1, ceil_mode=True)
    for stage, (count, stride, dilation) in enumerate(zip(BLOCKS[name], (1, 2, 1, 1), (1, 1, 2, 4), strict=True), 2):
        for index in range(1, count + 1):
            block, step = f"layer{stage}.block{index}", stride if index == 1 else 1
            inner = F.relu(convolved(features, state, f"{block}.reduce", step))
            inner = F.relu(convolved(inner, state, f"{block}.conv3x3", 1, dilation, dilation))
            inner = convolved(inner, state, f"{block}.increase")
            features = F.relu(
                inner + (convolved(features, state, f"{block}.shortcut", step) if index == 1 else features)
            )
    return features


def aspp(features: Tensor, state: State) -> Tensor:
    """The sum of four dilated classifiers."""
    total = torch.zeros((), dtype=features.dtype)
    for place, rate in enumerate((6, 12, 18, 24)):
        total = total + F.conv2d(features, state[f"aspp.c{place}.weight"], state[f"aspp.c{place}.bias"], 1, rate, rate)
    return total


def multi_scale(rgb: Tensor, state: State, name: str, by_size: bool = True) -> list[Tensor]:
    """The logits of the image, of .5 and .75 of it, and their pixelwise maximum.

    ``by_size``: torch before 1.6, which that code was written with, took a resized view's scale from its sides; since
    then it is the factor as given.
    """
    bgr = rgb.flip(1).double() - torch.tensor(MEAN_BGR, dtype=torch.float64).view(3, 1, 1)
    every = [aspp(caffe_features(bgr, state, name), state)]
    for factor in (0.5, 0.75):
        view = F.interpolate(
            bgr, scale_factor=factor, mode="bilinear", align_corners=False, recompute_scale_factor=by_size
        )
        every.append(aspp(caffe_features(view, state, name), state))
    size = every[0].shape[-2:]
    same = [every[0], *(F.interpolate(logits, size, mode="bilinear", align_corners=False) for logits in every[1:])]
    return [*every, torch.stack(same).max(dim=0).values]


def label_at(label: Tensor, size: tuple[int, int]) -> Tensor:
    """Labels (B, H, W) at the size of logits, as Pillow resizes floats to the nearest."""
    height, width = size
    reduced = [
        np.asarray(Image.fromarray(one.float().numpy()).resize((width, height), resample=Image.NEAREST))
        for one in label
    ]
    return torch.from_numpy(np.stack(reduced)).long()


def summed_cross_entropy(every: list[Tensor], label: Tensor) -> Tensor:
    """The mean over the pixels that are not 255, of each of the outputs, summed."""
    total = torch.zeros((), dtype=torch.float64)
    for logits in every:
        target = label_at(label, tuple(logits.shape[-2:]))
        counted = target != 255
        chance = logits - logits.exp().sum(dim=1, keepdim=True).log()
        taken = chance.gather(1, target.where(counted, torch.zeros_like(target))[:, None])[:, 0]
        total = total - (taken * counted).sum() / counted.sum()
    return total


def poly_rates(base: list[float], step_size: int, total: int) -> list[list[float]]:
    """Rates of every optimiser step: they change after each ``step_size`` steps (libs/utils/lr_scheduler.py)."""
    rates, found = list(base), []
    for iteration in range(1, total + 1):
        found.append(list(rates))
        if iteration % step_size == 0:
            rates = [rate * (1 - iteration / total) ** 0.9 for rate in base]
    return found


def sgd(weight: Tensor, gradient: Tensor, speed: Tensor | None, lr: float, decay: float) -> tuple[Tensor, Tensor]:
    """A step of torch's SGD with momentum .9; returns the weight and its new speed."""
    pull = gradient + decay * weight
    speed = pull if speed is None else 0.9 * speed + pull
    return weight - lr * speed, speed


def large_field_of_view(features: Tensor, state: State, relu: bool, enlarge: tuple[int, int] | None) -> Tensor:
    """DeepLabv1's head in evaluation: with ReLU and enlarged (YudeWang), or without either (DHR)."""
    active = F.relu if relu else lambda maps: maps
    features = F.conv2d(features, state["conv1.weight"], None, 1, 12, 12)
    features = active(normalised(features, state, "bn1"))
    features = active(normalised(F.conv2d(features, state["conv2.weight"]), state, "bn2"))
    logits = F.conv2d(features, state["classifier.weight"], state["classifier.bias"])
    return logits if enlarge is None else F.interpolate(logits, enlarge, mode="bilinear", align_corners=True)
