"""Climbs at several scales add up to one map a class (AdvCAM's obtain_CAM_masking.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from mars_pl.wsss.advcam.climbing import Climb, ClimbedNetwork, climbing_cam
from mars_pl.wsss.cam.activation import sum_over_scales


class NormalisingNetwork(ClimbedNetwork, Protocol):
    """A climbed network that says how it wants its images."""

    def normalise(self, image: Tensor) -> Tensor:
        """Map uint8 (B, 3, H, W) to what ``features`` takes."""
        ...


def half_scale_iterations(iterations: int) -> int:
    """Return how many iterations AdvCAM grants scale 0.5: half of more than ten, five of six to ten, else all."""
    if iterations > 10:
        return iterations // 2
    return min(iterations, 5)


def multi_scale_climbing_cam(
    network: NormalisingNetwork, image: Tensor, indices: Sequence[int], scales: Sequence[float], climb: Climb
) -> Tensor:
    """Sum over scales the maps that each class gathers on its own climb from the unchanged image.

    AdvCAM's code weighs every scale by one factor, which a division by the maximum removes; it is left out here. So
    scale 0.5 counts half as much as the others, by its fewer iterations.

    Args:
        network: in evaluation mode.
        image: uint8 (1, 3, H, W).
        indices: of the K classes in the network's logits.
        scales: of the image's sides; AdvCAM has 0.5, 1, 1.5 and 2.
        climb: at every scale but 0.5, where its iterations are fewer.

    Returns:
        Non-negative float32 (K, H, W), without graph.

    Raises:
        ValueError: where there is no scale.
    """

    def draw(scaled: Tensor, scale: float) -> Tensor:
        pair = network.normalise(torch.cat([scaled, scaled.flip(-1)]))
        manner = replace(climb, iterations=half_scale_iterations(climb.iterations)) if scale == 0.5 else climb
        return torch.stack([climbing_cam(network, pair, index, manner) for index in indices])

    if not indices:
        return torch.zeros(0, *image.shape[-2:], device=image.device)
    return sum_over_scales(draw, image, scales)
