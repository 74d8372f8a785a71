"""IRN's classifier, its maps and confident labels (net/resnet50_cam.py, step/make_cam.py, cam_to_ir_label.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.fidelity.published.resnet import State, five_maps, normalised, rounded

Resize = Callable[[Tensor, tuple[int, int]], Tensor]


def cells(size: int, stride: int) -> int:
    """How many cells of a stride begin in a side."""
    return (size - 1) // stride + 1


def scaled_pair(image: Tensor, scale: float, resize: Resize) -> Tensor:
    """An image at a scale and its mirror image, normalised (2, 3, H', W')."""
    size = (round(image.shape[1] * scale), round(image.shape[2] * scale))
    view = normalised(resize(image, size))
    return torch.stack([view, view.flip(-1)])


def activation(state: State, pair: Tensor) -> Tensor:
    """Rectified maps of a pair, the mirrored one flipped back and added: (C, h, w)."""
    maps = F.conv2d(five_maps(state, pair)[-1], state["classifier.weight"]).relu()
    return maps[0] + maps[1].flip(-1)


def collected(outputs: Sequence[Tensor], classes: Sequence[int], size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Sum the maps of all scales on the grid of stride 4 (``cam``) and at the image's size (``high_res``).

    Each class is divided by its own maximum + 1e-5.
    """
    small = tuple(cells(side, 4) for side in size)
    large = tuple(16 * cells(side, 16) for side in size)
    grid = sum(F.interpolate(one[None], small, mode="bilinear", align_corners=False)[0] for one in outputs)
    whole = sum(F.interpolate(one[None], large, mode="bilinear", align_corners=False)[0] for one in outputs)
    whole = whole[:, : size[0], : size[1]]
    found = []
    for maps in (grid, whole):
        chosen = [maps[k] / (maps[k].max() + 1e-5) for k in classes]
        found.append(torch.stack(chosen))
    return found[0], found[1]


def scores(
    state: State, image: Tensor, classes: Sequence[int], scales: Sequence[float], resize: Resize = rounded
) -> tuple[Tensor, Tensor]:
    """``cam`` and ``high_res`` of a uint8 image (3, H, W)."""
    outputs = [activation(state, scaled_pair(image, scale, resize)) for scale in scales]
    return collected(outputs, classes, (image.shape[1], image.shape[2]))


def loss(state: State, images: Tensor, targets: Tensor, detached_after: int) -> Tensor:
    """Multi-label soft margin of uint8 crops (B, 3, H, W), mean over classes and images."""
    x = torch.stack([normalised(image) for image in images])
    features = five_maps(state, x, detached_after)[-1].mean((2, 3))
    logits = features @ state["classifier.weight"][:, :, 0, 0].T
    each = targets * F.logsigmoid(logits) + (1 - targets) * F.logsigmoid(-logits)
    return -each.mean()


def confident(high_res: Tensor, classes: Sequence[int], foreground: float, background: float) -> Tensor:
    """Confident label of maps (K, H, W), pixel by pixel and without the CRF."""
    label = torch.zeros(high_res.shape[1:], dtype=torch.long)
    for y in range(label.shape[0]):
        for x in range(label.shape[1]):
            column = high_res[:, y, x].tolist()
            best = max(range(len(column)), key=lambda k: column[k])
            if column[best] > foreground:
                label[y, x] = classes[best] + 1
            elif column[best] > background:
                label[y, x] = 255
    return label
