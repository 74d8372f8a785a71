"""Adversarial climbing: the objective, one step, and the maps of a whole climb (AdvCAM's obtain_CAM_masking.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.wsss.advcam.grad_cam import pair_grad_cam

EPSILON = 1e-12
"""Keeps an image where it is when nothing pulls it (AdvCAM's value)."""


class ClimbedNetwork(Protocol):
    """A classifier whose logits are a 1×1 convolution of its features."""

    def features(self, normalised: Tensor) -> Tensor:
        """Map normalised float (B, 3, H, W) to (B, D, h, w)."""
        ...

    def classifier(self, features: Tensor) -> Tensor:
        """Map (B, D, h, w) to logits (B, C, h, w)."""
        ...


@dataclass(frozen=True)
class Climb:
    """How an image climbs.

    Attributes:
        iterations: maps that are added up; between two of them lies a step.
        step: length of a step in normalised values, for the pixel with the steepest gradient.
        regulariser: weight of the change of salient places.
        mask_threshold: a place is salient where the map exceeds this share of its maximum.

    Raises:
        ValueError: where there is no iteration, a length or weight is negative, or the share is not in [0, 1].
    """

    iterations: int = 27
    step: float = 0.08
    regulariser: float = 7.0
    mask_threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations: at least 1 is needed, got {self.iterations}")
        if self.step <= 0:
            raise ValueError(f"step: must be positive, got {self.step}")
        if self.regulariser < 0:
            raise ValueError(f"regulariser: must not be negative, got {self.regulariser}")
        if not 0 <= self.mask_threshold <= 1:
            raise ValueError(f"mask_threshold: a share of the maximum, in [0, 1], is needed, got {self.mask_threshold}")


def objective(logits: Tensor, cam: Tensor, first_cam: Tensor, index: int, climb: Climb) -> Tensor:
    """What an image climbs: its class against the others, less the change of places that are salient already.

    The class's pooled logit − the other classes' − ``regulariser`` · Σ |CAM − first CAM| over the salient places.

    Args:
        logits: (2, C, h, w) of a flip pair; rectified, then averaged over space, then added over the pair.
        cam: (h, w) of the pair as it is now.
        first_cam: (h, w) of the pair before the first step.
        index: of the class.
        climb: weight and threshold.

    Returns:
        A scalar with the graph of ``logits`` and ``cam``.
    """
    pooled = F.relu(logits).mean(dim=(-2, -1)).sum(dim=0)
    salient = cam > climb.mask_threshold * cam.max()
    change = (cam - first_cam).abs()[salient].sum()
    return 2 * pooled[index] - pooled.sum() - climb.regulariser * change


def climbing_step(image: Tensor, gradient: Tensor, step: float) -> Tensor:
    """Move an image along its gradient by at most ``step`` a value, inside the range of values that it has.

    Args:
        image: normalised (2, 3, H, W); its least and greatest value bound the result.
        gradient: of the objective, the same shape.
        step: taken where the gradient is steepest.
    """
    moved = image + step * gradient / (gradient.abs().max() + EPSILON)
    return moved.clamp(image.min(), image.max())


def climbing_cam(network: ClimbedNetwork, pair: Tensor, index: int, climb: Climb) -> Tensor:
    """Add up the maps of one class while a flip pair climbs.

    Both views climb by one shared objective; the step after the last map is not taken, since nobody looks at it.

    Args:
        network: in evaluation mode.
        pair: normalised (2, 3, H, W), an image and its mirror image.
        index: of the class in the network's logits.
        climb: number and manner of the steps.

    Returns:
        Non-negative (h, w), without graph.
    """
    cams: list[Tensor] = []
    for iteration in range(climb.iterations):
        pair = pair.detach().requires_grad_()
        features = network.features(pair)
        logits = network.classifier(features)
        cam = pair_grad_cam(features, logits, index)
        cams.append(cam.detach())
        if iteration + 1 < climb.iterations:
            (gradient,) = torch.autograd.grad(objective(logits, cam, cams[0], index, climb), pair)
            pair = climbing_step(pair.detach(), gradient, climb.step)
    return torch.stack(cams).sum(dim=0)
