"""Multi-scale class activation maps (IRNet's inference)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-5
"""Keeps a map without any activation at zero (IRNet's value)."""


class ActivationNetwork(Protocol):
    """A network that draws class activation maps."""

    def activation(self, image: Tensor, present: Tensor) -> Tensor:
        """Map uint8 (B, 3, H, W) to non-negative (B, K, h, w), the maps of the K foreground classes in ``present``."""
        ...


def resize_image(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize uint8 (B, 3, H, W) to ``size`` by antialiased bicubic interpolation; the result is uint8 again."""
    if tuple(image.shape[-2:]) == size:
        return image
    resized = F.interpolate(image.float(), size, mode="bicubic", align_corners=False, antialias=True)
    return resized.round().clamp(0, 255).to(torch.uint8)


def flip_pair_activation(network: ActivationNetwork, image: Tensor, present: Tensor) -> Tensor:
    """Sum the maps of an image and of its mirror image, flipped back; (1, 3, H, W) to (K, h, w)."""
    maps = network.activation(torch.cat([image, image.flip(-1)]), present)
    return maps[0] + maps[1].flip(-1)


def sum_over_scales(
    draw: Callable[[Tensor, float], Tensor], image: Tensor, scales: Sequence[float], stride: int = 16
) -> Tensor:
    """Sum the maps that are drawn of an image at several scales, at the size of the image.

    Each map is enlarged to the image's size rounded up to a multiple of ``stride`` and then cut, so that cells of the
    map stay where the network saw them (IRNet's ``high_res``).

    Args:
        draw: maps the resized image, uint8 (1, 3, H', W'), and its scale to (K, h, w).
        image: uint8 (1, 3, H, W).
        scales: of the image's sides; IRNet has 1, 0.5, 1.5 and 2.
        stride: of the network's map.

    Returns:
        float32 (K, H, W).

    Raises:
        ValueError: where there is no scale.
    """
    height, width = image.shape[-2:]
    padded = (-(-height // stride) * stride, -(-width // stride) * stride)
    total: Tensor | None = None
    for scale in scales:
        scaled = resize_image(image, (max(1, round(height * scale)), max(1, round(width * scale))))
        maps = F.interpolate(draw(scaled, scale).float()[None], padded, mode="bilinear", align_corners=False)[0]
        total = maps if total is None else total + maps
    if total is None:
        raise ValueError("scales: at least one scale is needed")
    return total[:, :height, :width]


def multi_scale_activation(
    network: ActivationNetwork, image: Tensor, present: Tensor, scales: Sequence[float], stride: int = 16
) -> Tensor:
    """Sum flip-paired activation maps over scales, as ``sum_over_scales`` does.

    Args:
        network: that draws.
        image: uint8 (1, 3, H, W).
        present: int64 (K,), foreground classes of the image counted from 0; only their maps are enlarged.
        scales: of the image's sides.
        stride: of the network's map.

    Returns:
        Non-negative float32 (K, H, W).

    Raises:
        ValueError: where there is no scale.
    """
    if not len(present):  # nothing can be enlarged, and nothing need be drawn
        return torch.zeros(0, *image.shape[-2:], device=image.device)
    return sum_over_scales(lambda scaled, _: flip_pair_activation(network, scaled, present), image, scales, stride)


def normalise_activation(maps: Tensor) -> Tensor:
    """Divide each map by its own maximum + 1e-5, so that scores lie in [0, 1); shape (K, H, W) is kept (IRNet)."""
    return maps / (maps.amax(dim=(-2, -1), keepdim=True) + EPSILON)
