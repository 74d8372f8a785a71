"""Multi-scale tests: DHR's apply_ms, RS+EPM's forward_with_scales, seamv1-pseudovoc of YudeWang's code base.

In float64. Resizing along a side is a matrix (new, old), whose rows are written out place by place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Network = Callable[[Tensor], Tensor]
Side = Callable[[int, int], Tensor]


def corners(old: int, new: int) -> Tensor:
    """Bilinear with align_corners: the first and the last pixel stay."""
    rows = torch.zeros(new, old, dtype=torch.float64)
    for place in range(new):
        at = place * (old - 1) / (new - 1) if new > 1 else 0.0
        low = min(int(at), old - 1)
        rows[place, low] += 1 - (at - low)
        rows[place, min(low + 1, old - 1)] += at - low
    return rows


def centres(old: int, new: int) -> Tensor:
    """Bilinear without: pixel i has its centre at i + .5, and nothing lies before the first or behind the last."""
    rows = torch.zeros(new, old, dtype=torch.float64)
    for place in range(new):
        at = max((place + 0.5) * old / new - 0.5, 0.0)
        low = min(int(at), old - 1)
        rows[place, low] += 1 - (at - low)
        rows[place, min(low + 1, old - 1)] += at - low
    return rows


def antialiased(old: int, new: int) -> Tensor:
    """The same for a smaller size: a triangle as wide as two new pixels."""
    wide = max(old / new, 1.0)
    rows = torch.zeros(new, old, dtype=torch.float64)
    for place in range(new):
        centre = (place + 0.5) * old / new
        for pixel in range(old):
            rows[place, pixel] = max(0.0, 1 - abs(pixel + 0.5 - centre) / wide)
        rows[place] /= rows[place].sum()
    return rows


def resized(maps: Tensor, size: Sequence[int], side: Side) -> Tensor:
    """Resize (K, H, W); what has its size stays."""
    height, width = maps.shape[-2:]
    if (height, width) == tuple(size):
        return maps
    return torch.einsum("yh,khw,xw->kyx", side(height, size[0]), maps, side(width, size[1]))


def normalised(image: Tensor) -> Tensor:
    """A uint8 image (3, H, W), normalised."""
    return torch.stack([(image[c].double() / 255 - MEAN[c]) / STD[c] for c in range(3)])


def dhr(network: Network, image: Tensor, scales: Sequence[float] = (1.0, 0.5, 1.5, 2.0)) -> Tensor:
    """DHR: probabilities (K, H, W)."""
    whole, grid, maps = normalised(image), None, []
    height, width = image.shape[1:]
    for scale in scales:
        view = resized(whole, (int(height * scale), int(width * scale)), corners)
        for mirrored in (False, True):
            probabilities = network(view.flip(-1) if mirrored else view).softmax(0)
            grid = grid or tuple(probabilities.shape[1:])
            probabilities = resized(probabilities, grid, corners)
            maps.append(probabilities.flip(-1) if mirrored else probabilities)
    return resized(torch.stack(maps).mean(0), (height, width), corners)


def rsepm(
    network: Network, image: Tensor, scales: Sequence[float] = (1.0, 0.5, 1.5, 2.0), as_ours: bool = False
) -> Tensor:
    """RS+EPM's segmentation networks: probabilities (K, H, W).

    ``as_ours``: in the three points in which ours deviates: sides are rounded and not cut, smaller views are
    antialiased, and the softmax is taken before the logits are enlarged.
    """
    whole, maps = normalised(image), []
    size = image.shape[1:]
    for scale in scales:
        cut = [math.floor(side * scale + (0.5 if as_ours else 0.0)) for side in size]
        view = resized(whole, cut, antialiased if as_ours and scale < 1 else centres)
        for mirrored in (False, True):
            logits = network(view.flip(-1) if mirrored else view)
            probabilities = logits.softmax(0) if as_ours else resized(logits, cut, centres).softmax(0)
            probabilities = resized(probabilities, size, centres)
            maps.append(probabilities.flip(-1) if mirrored else probabilities)
    return torch.stack(maps).mean(0)


def seamv1(network: Network, image: Tensor, views: Sequence[Tensor]) -> Tensor:
    """DeepLabv1 of given views, normalised (3, h, w); its network enlarges logits to a view with aligned corners."""
    maps = []
    for view in views:
        for mirrored in (False, True):
            logits = resized(network(view.flip(-1) if mirrored else view), view.shape[1:], corners)
            logits = resized(logits, image.shape[1:], corners)
            maps.append(logits.flip(-1) if mirrored else logits)
    return torch.stack(maps).mean(0).softmax(0)
