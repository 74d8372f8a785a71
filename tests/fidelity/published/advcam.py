"""AdvCAM's climb (obtain_CAM_masking.py, gradCAM.py, misc/torchutils.py) on IRN's classifier."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.fidelity.published.cam import collected, scaled_pair
from tests.fidelity.published.resnet import State, five_maps, rounded

STEP, WEIGHT, THRESHOLD = 0.08, 7, 0.5


def climb(state: State, pair: Tensor, index: int, iterations: int, factor: float) -> Tensor:
    """Gather the maps of one class on its way up: (h, w)."""
    total, first = torch.zeros(()), torch.zeros(())
    for iteration in range(iterations):
        pair = pair.detach().requires_grad_()
        features = five_maps(state, pair)[-1]
        logits = F.conv2d(features, state["classifier.weight"])
        (slopes,) = torch.autograd.grad(logits.relu().sum((2, 3))[:, index].sum(), features, retain_graph=True)
        channels = slopes.sum((2, 3)) / ((slopes > 0).sum() + 1e-12)
        maps = (features * channels[:, :, None, None]).sum(1).relu()
        cam = maps[0] + maps[1].flip(-1)
        first = cam.detach() if iteration == 0 else first
        total = total + cam.detach() * factor

        means = logits.relu().mean((2, 3))
        mask = (cam / cam.max() > THRESHOLD).double()
        height = 2 * means[:, index].sum() - means.sum() - WEIGHT * ((cam - first).abs() * mask).sum()
        (slope,) = torch.autograd.grad(height, pair)
        moved = pair + STEP * slope / (slope.abs().max() + 1e-12)
        pair = moved.detach().clamp(pair.min().item(), pair.max().item())
    return total


def scores(state: State, image: Tensor, classes: Sequence[int], iterations: int) -> tuple[Tensor, Tensor]:
    """``cam`` and ``high_res`` of a uint8 image (3, H, W), scale ½ first: its factor goes on to the others."""
    outputs = []
    for scale in (0.5, 1.0, 1.5, 2.0):
        count = iterations
        if scale == 0.5:
            count = iterations // 2 if iterations > 10 else iterations if iterations < 6 else 5
        factor = 2.0 if iterations > 10 else 1.0
        pair = scaled_pair(image, scale, rounded)
        outputs.append(torch.stack([climb(state, pair, index, count, factor) for index in classes]))
    return collected(outputs, range(len(classes)), (image.shape[1], image.shape[2]))
