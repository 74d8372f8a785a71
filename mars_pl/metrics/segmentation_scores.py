"""The scores while a fit goes on: the same figures as ``mars evaluate``, summed over batches and processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from mars_pl.metrics.scores import Scores


class SegmentationScores(MulticlassConfusionMatrix):
    """One confusion matrix over all images, not a mean of images, and what follows from it.

    The matrix stays in ``confmat`` for figures of single classes (`scores`). Counts are exact under DDP; a sampler that
    repeats images to fill up a batch still counts them twice.

    Args:
        num_classes: with the background.
        ignore_index: truth of the pixels that are skipped.
        over: class ids to which the means are restricted; None takes all.
    """

    def __init__(self, num_classes: int, ignore_index: int = 255, over: Sequence[int] | None = None) -> None:
        super().__init__(num_classes, ignore_index=ignore_index, validate_args=False)
        self.over = over

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
        # Not torchmetrics' own count: under deterministic algorithms that one compares each pixel with all C² cells.
        counts = torch.bincount(rows * self.num_classes + columns, minlength=self.num_classes**2)
        if len(counts) > self.num_classes**2:
            raise ValueError(f"the truth holds {int(rows.max())}, classes go to {self.num_classes - 1}")
        self.confmat += counts.view(self.num_classes, self.num_classes)

    @property
    def scores(self) -> Scores:
        """The figures of each class and their means, from what this process has counted (all, once synchronised)."""
        return Scores.from_confusion(self.confmat.cpu().numpy(), self.over)

    def compute(self) -> dict[str, Tensor]:  # type: ignore[override]
        """Return miou, fp, fn, fp_all and fn_all as float64 scalars; `classes` are IoU, FP and FN of each, (3, C)."""
        scores, device = self.scores, self.confmat.device
        values: dict[str, Any] = scores.as_row() | {"classes": np.stack([scores.iou, scores.class_fp, scores.class_fn])}
        return {name: torch.as_tensor(value, dtype=torch.float64, device=device) for name, value in values.items()}
