"""The scores while a fit goes on: the same figures as ``mars evaluate``, summed over batches and processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from mars_pl.metrics.scores import Scores


class SegmentationScores(Metric):
    """Counts over all images, not a mean of images, and what follows from them.

    ``counts``, (3, num_classes), are the pixels of each class that are right, predicted and true: three gigabytes less
    than the confusion matrix of Open Images' classes. They are exact under DDP; a sampler that repeats images to fill
    up a batch still counts them twice.

    Args:
        num_classes: with the background.
        ignore_index: truth of the pixels that are skipped.
        over: class ids to which the means are restricted; None takes all.
    """

    def __init__(self, num_classes: int, ignore_index: int = 255, over: Sequence[int] | None = None) -> None:
        super().__init__()
        self.num_classes, self.ignore_index, self.over = num_classes, ignore_index, over
        self.add_state("counts", torch.zeros(3, num_classes, dtype=torch.long), dist_reduce_fx="sum")
        self.counts: Tensor

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch of class indices.

        Args:
            preds: integers of any shape; what is not a class counts as background.
            target: integers of the same shape, classes or ``ignore_index``.

        Raises:
            ValueError: where the target holds something that is neither.
        """
        counted = target != self.ignore_index
        rows, columns = target[counted].long(), preds[counted].long()
        columns = columns.where((columns >= 0) & (columns < self.num_classes), 0)
        self.counts += region_counts(columns, rows, self.num_classes)

    @property
    def scores(self) -> Scores:
        """The figures of each class and their means, from what this process has counted (all, once synchronised)."""
        return Scores.from_counts(self.counts.cpu().numpy(), self.over)

    def compute(self) -> dict[str, Tensor]:
        """Return miou, fp, fn, fp_all and fn_all as float64 scalars; `classes` are IoU, FP and FN of each, (3, C)."""
        scores, device = self.scores, self.counts.device
        values: dict[str, Any] = scores.as_row() | {"classes": np.stack([scores.iou, scores.class_fp, scores.class_fn])}
        return {name: torch.as_tensor(value, dtype=torch.float64, device=device) for name, value in values.items()}


def region_counts(predicted: Tensor, true: Tensor, num_classes: int) -> Tensor:
    """Count what IoU, FP and FN need: pixels of each class that are right, predicted and true, int64 (3, num_classes).

    Args:
        predicted: int64 (N,), a class each.
        true: int64 (N,), likewise.
        num_classes: with the background.

    Raises:
        ValueError: where the truth holds something that is no class.
    """
    parts = (true[true == predicted], predicted, true)
    counts = [torch.bincount(part, minlength=num_classes) for part in parts]
    if len(counts[2]) > num_classes:
        raise ValueError(f"the truth holds {int(true.max())}, classes go to {num_classes - 1}")
    return torch.stack(counts)
