"""Which candidates lie on the object, which on its companion: Fig. 8's rule (paper §4.3). It measures only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

TARGET_ABOVE = 0.3
BIASED_BELOW = 0.1


def region_iou(region: Tensor, truth: Tensor, index: int, ignore_index: int) -> float:
    """Return the IoU of a candidate's region with the true mask of its class.

    Args:
        region: (H, W) bool.
        truth: (H, W) class indices.
        index: the candidate's class.
        ignore_index: these pixels of ``truth`` count on neither side.

    Returns:
        In [0, 1]; NaN where neither side has a pixel.
    """
    counted = truth != ignore_index
    region, target = region & counted, (truth == index) & counted
    union = int((region | target).sum())
    return int((region & target).sum()) / union if union else float("nan")


@dataclass(frozen=True)
class Kinds:
    """Counts by Fig. 8's rule: targets have an IoU above .3, biased ones below .1, the rest lie between."""

    targets: int
    biased: int
    between: int

    @property
    def share(self) -> float | None:
        """Targets over targets and biased; None where there is neither."""
        judged = self.targets + self.biased
        return self.targets / judged if judged else None


def count_kinds(iou: Tensor) -> Kinds:
    """Count the kinds among (N,) IoUs; NaN, where there is no truth, is no kind."""
    iou = iou[~torch.isnan(iou)]
    targets, biased = int((iou > TARGET_ABOVE).sum()), int((iou < BIASED_BELOW).sum())
    return Kinds(targets, biased, len(iou) - targets - biased)
