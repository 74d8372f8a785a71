"""How well the region of a candidate covers its class (Fig. 8, paper §4.3). It measures only."""

from __future__ import annotations

from torch import Tensor


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
