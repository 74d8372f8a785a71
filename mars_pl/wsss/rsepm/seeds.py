"""Seeds of RS+EPM (our reconstruction): pixels that are confident of their class, and a loss that learns from them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.training.over_processes import mean_count
from mars_pl.wsss.propagation.confident_label import UNSURE


def present_probabilities(logits: Tensor, classes: Tensor) -> Tensor:
    """Softmax over the background and the classes of each image.

    Args:
        logits: (B, C + 1, h, w), background first.
        classes: (B, C), 1 where the class is in the image.

    Returns:
        float32 (B, C + 1, h, w); absent classes are 0.
    """
    present = F.pad(classes, (1, 0), value=1) > 0
    return logits.float().masked_fill(~present[:, :, None, None], -torch.inf).softmax(dim=1)


def with_background(scores: Tensor) -> Tensor:
    """Put a background of 1 − (highest score) before the scores and let each pixel sum to 1 (our choice).

    Args:
        scores: (B, C, H, W) in [0, 1].

    Returns:
        (B, C + 1, H, W).
    """
    probabilities = torch.cat([1 - scores.amax(dim=1, keepdim=True), scores], dim=1)
    return probabilities / probabilities.sum(dim=1, keepdim=True)


def seed_labels(scores: Tensor, certain: float = 0.55, uncertain: float = 0.1) -> Tensor:
    """Label the pixels that are confident.

    The two values are those of the authors' experiment tag (``CF(c=0.55, u=0.10)``); that they bound the highest
    foreground score from below and from above is our reading.

    Args:
        scores: (B, C, H, W) in [0, 1], one map a foreground class.
        certain: a pixel whose highest score reaches this gets its class.
        uncertain: a pixel whose highest score is at most this is background.

    Returns:
        int64 (B, H, W): 0, 1…C, and 255 between the two.

    Raises:
        ValueError: where ``uncertain`` is not below ``certain``.
    """
    if not 0 <= uncertain < certain <= 1:
        raise ValueError(f"thresholds 0 ≤ uncertain < certain ≤ 1 are needed, not {uncertain} and {certain}")
    best, index = scores.max(dim=1)
    label = torch.where(best >= certain, index + 1, UNSURE)
    return torch.where(best <= uncertain, 0, label)


def seed_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Mean cross entropy over the labelled pixels, of all processes together; 0 where there is none.

    Args:
        logits: (B, C + 1, h, w), resized bilinearly to the label.
        label: int64 (B, H, W), 255 is left out.
    """
    logits = F.interpolate(logits.float(), label.shape[-2:], mode="bilinear", align_corners=False)
    total = F.cross_entropy(logits, label, ignore_index=UNSURE, reduction="sum")
    return total / mean_count((label != UNSURE).sum(), least=1)
