"""IRN's network, loss, walk and label (net/resnet50_irn.py, misc/indexing.py, train_irn.py, make_sem_seg_labels.py)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.fidelity.published.cam import cells
from tests.fidelity.published.resnet import State, five_maps, normalised

GROUPS = {"fc_edge": (4,) * 5, "fc_dp": (8, 16, 16, 16, 16, 16, 16)}


def branch(state: State, name: str, groups: int, x: Tensor, factor: int = 1) -> Tensor:
    """1×1 convolution, group norm, enlargement, ReLU."""
    x = F.conv2d(x, state[f"{name}.0.weight"])
    grouped = x.reshape(len(x), groups, -1)
    grouped = (grouped - grouped.mean(2, keepdim=True)) / (grouped.var(2, unbiased=False, keepdim=True) + 1e-5).sqrt()
    x = grouped.reshape(x.shape) * state[f"{name}.1.weight"].view(1, -1, 1, 1) + state[f"{name}.1.bias"].view(
        1, -1, 1, 1
    )
    if factor > 1:
        x = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
    return x.relu()


def fields(state: State, x: Tensor) -> tuple[Tensor, Tensor]:
    """Edge logits (B, h, w) and displacements (B, 2, h, w) of normalised images; no map passes a gradient down."""
    maps = [one.detach() for one in five_maps(state, x)]
    edges = [branch(state, f"fc_edge{k + 1}", 4, maps[k], (1, 1, 2, 4, 4)[k]) for k in range(5)]
    height, width = edges[1].shape[2:]
    edges = [one[..., :height, :width] for one in edges]
    edge = F.conv2d(torch.cat(edges, 1), state["fc_edge6.weight"], state["fc_edge6.bias"])
    groups = GROUPS["fc_dp"]
    parts = [branch(state, f"fc_dp{k + 1}", groups[k], maps[k], (1, 1, 1, 2, 2)[k]) for k in range(5)]
    deep = [one[..., : parts[2].shape[2], : parts[2].shape[3]] for one in parts[2:]]
    up = branch(state, "fc_dp6", 16, torch.cat(deep, 1), 2)[..., :height, :width]
    field = branch(state, "fc_dp7", 16, torch.cat([parts[0], parts[1], up], 1))
    return edge[:, 0], F.conv2d(field, state["fc_dp7.3.weight"])


def boundary(state: State, image: Tensor, crop: int) -> Tensor:
    """Edge map in [0, 1] of a uint8 image (3, H, W) with sides up to the crop, to which zeros fill it."""
    view = normalised(image)
    height, width = image.shape[1:]
    filled = torch.zeros(2, 3, crop, crop, dtype=torch.float64)
    filled[0, :, :height, :width] = view
    filled[1, :, :height, :width] = view.flip(-1)
    logits = fields(state, filled)[0][:, : cells(height, 4), : cells(width, 4)]
    return torch.sigmoid(logits[0] / 2 + logits[1].flip(-1) / 2)


def directions(radius: int) -> list[tuple[int, int]]:
    """Half of the offsets that are nearer than the radius."""
    found = [(0, x) for x in range(1, radius)]
    return found + [(y, x) for y in range(1, radius) for x in range(1 - radius, radius) if x * x + y * y < radius**2]


def on_path(down: int, right: int) -> list[tuple[int, int]]:
    """Cells of the box that two cells span, nearer than 1 to the line through both."""
    rows, columns = range(min(0, down), max(0, down) + 1), range(min(0, right), max(0, right) + 1)
    length = down**2 + right**2
    return [(y, x) for y in rows for x in columns if (down * x - right * y) ** 2 / length < 1]


def walk(cam: Tensor, edge: Tensor, size: tuple[int, int], beta: float = 10, times: int = 8, radius: int = 5) -> Tensor:
    """Scores (K, H, W) after 2^times steps by the dense matrix, divided by the largest of all classes."""
    height, width = edge.shape
    dense = torch.eye(height * width, dtype=torch.float64)
    for down, right in directions(radius):
        for y in range(height - down):
            for x in range(max(0, -right), min(width, width - right)):
                strongest = max(edge[y + i, x + j].item() for i, j in on_path(down, right))
                one, other = y * width + x, (y + down) * width + x + right
                dense[one, other] = dense[other, one] = 1 - strongest
    dense = dense**beta
    dense = dense / dense.sum(0, keepdim=True)
    for _ in range(times):
        dense = dense @ dense
    walked = ((cam * (1 - edge)).reshape(len(cam), -1) @ dense).reshape(len(cam), 1, height, width)
    large = F.interpolate(walked, scale_factor=4, mode="bilinear", align_corners=False)[:, 0, : size[0], : size[1]]
    return large / large.max()


def label(walked: Tensor, classes: Sequence[int], background: float = 0.25) -> Tensor:
    """The class whose score exceeds the background's and all others': (H, W), classes counted from 1."""
    scores = torch.cat([torch.full_like(walked[:1], background), walked])
    return torch.tensor([0, *(k + 1 for k in classes)])[scores.argmax(0)]


def loss(state: State, images: Tensor, labels: Tensor, radius: int = 10, classes: int = 21) -> Tensor:
    """Loss of uint8 crops (B, 3, S, S) and confident labels (B, S, S), S a multiple of 4."""
    edge, field = fields(state, torch.stack([normalised(image) for image in images]))
    edge, small = edge.sigmoid(), labels[:, 2::4, 2::4]
    reach, side = radius - 1, edge.shape[1]
    rows, columns = side - reach, side - 2 * reach

    def cut(maps: Tensor, down: int, right: int) -> Tensor:
        return maps[..., down : down + rows, reach + right : reach + right + columns]

    kinds = ("background", "foreground", "negative", "even", "pointing")
    sums, counts = dict.fromkeys(kinds, torch.zeros(())), dict.fromkeys(kinds, 0)
    here = cut(small, 0, 0)
    for down, right in directions(radius):
        there = cut(small, down, right)
        affinity = 1 - torch.stack([cut(edge, y, x) for y, x in on_path(down, right)]).amax(0)
        difference = cut(field, 0, 0) - cut(field, down, right)
        pointing = (difference - torch.tensor([down, right]).view(1, 2, 1, 1)).abs().sum(1)
        sure = (here < classes) & (there < classes)
        chosen = {"background": sure & (here == there) & (here == 0), "foreground": sure & (here == there) & (here > 0)}
        chosen |= {"negative": sure & (here != there)}
        chosen |= {"even": chosen["background"], "pointing": chosen["foreground"]}
        attract, repel = -(affinity + 1e-5).log(), -(1 + 1e-5 - affinity).log()
        values = dict(zip(kinds, (attract, attract, repel, difference.abs().sum(1), pointing), strict=True))
        for kind in kinds:
            sums[kind] = sums[kind] + values[kind][chosen[kind]].sum()
            counts[kind] += int(chosen[kind].sum()) * (2 if kind in ("even", "pointing") else 1)
    mean = {kind: sums[kind] / (counts[kind] + 1e-5) for kind in kinds}
    attraction = mean["background"] / 2 + mean["foreground"] / 2
    return (attraction + mean["negative"]) / 2 + (mean["pointing"] + mean["even"]) / 2
