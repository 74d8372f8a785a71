"""What W-OoD asks of features and of disturbed pictures without any class (its step/train_cam_clustering.py)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.training.whole_batch import all_rows
from mars_pl.wsss.advcam.climbing import climbing_step


def distances_to(features: Tensor, centres: Tensor) -> Tensor:
    """Return the Euclidean distances (B, K) of features (B, D) to centres (K, D)."""
    return torch.cdist(features, centres, compute_mode="donot_use_mm_for_euclid_dist")


def distance_loss(
    features: Tensor, classes: Tensor, class_means: Tensor, ood_centres: Tensor, nearest: float = 0.2
) -> Tensor:
    """Draw images to the means of their classes and away from the clusters of other pictures that lie near.

    (Σ distances to the means of an image's classes − Σ of the distances to clusters that are below the threshold) ÷
    (B · K). The threshold is such that the largest 1 − ``nearest`` of all the batch's distances to clusters lie at or
    above it, over all processes.

    Args:
        features: (B, D), means over space.
        classes: (B, C), 1 where a class is in the image.
        class_means: (C, D).
        ood_centres: (K, D).
        nearest: share of the distances to clusters that count.

    Returns:
        A scalar.
    """
    to_means = (distances_to(features, class_means) * classes).sum()
    to_clusters = distances_to(features, ood_centres)
    every = all_rows(to_clusters.detach()).flatten()
    far = int(len(every) * (1 - nearest))
    threshold = every.topk(far).values[-1] if far else every.new_tensor(float("inf"))
    near = (to_clusters * (to_clusters < threshold)).sum()
    return (to_means - near) / to_clusters.numel()


def disturbed(logits_of: Callable[[Tensor], Tensor], normalised: Tensor, step: float = 0.07) -> Tensor:
    """Move pictures one step along the gradient of the highest logit of each, so that they look most like a class.

    Args:
        logits_of: maps normalised pictures to logits (B, C).
        normalised: (B, 3, H, W); their least and greatest value bound the result.
        step: of normalised values, for the pixel with the steepest gradient.

    Returns:
        (B, 3, H, W), without graph.
    """
    pictures = normalised.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(logits_of(pictures).amax(dim=1).sum(), pictures)
    return climbing_step(pictures.detach(), gradient, step)


def none_of_the_classes(logits: Tensor) -> Tensor:
    """Return the soft-margin loss of logits (B, C) to images that show no class, a scalar."""
    return F.multilabel_soft_margin_loss(logits, torch.zeros_like(logits))
