"""IoU, FP and FN of the paper's Table 6 and Fig. 1(b), derived from one confusion matrix or from its sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scores:
    """Fractions of the union U = T + P − TP, so that IoU + FP + FN = 1 for each class.

    FP and FN are averaged over the foreground, as RS+EPM and SEAM's users do and as Table 6 adds up; ``fp_all`` and
    ``fn_all`` count the background too, as DHR's evaluator does. A class that neither truth nor prediction holds has
    nan and takes no part in a mean.

    Args:
        iou: TP / U of each class, shape (C,) with the background first.
        class_fp: (P − TP) / U of each class.
        class_fn: (T − TP) / U of each class.
        over: class ids that the means are taken over.
    """

    iou: NDArray[np.float64]
    class_fp: NDArray[np.float64]
    class_fn: NDArray[np.float64]
    over: tuple[int, ...]

    @classmethod
    def from_confusion(cls, confusion: NDArray[np.integer[Any]], over: Sequence[int] | None = None) -> Scores:
        """Derive the scores from counts of shape (C, C), truth in rows.

        Args:
            confusion: pixels by true (row) and predicted (column) class.
            over: class ids to which the means are restricted, the background only if it is among them; None takes all.

        Raises:
            ValueError: where ``over`` names no class or one that is not counted.
        """
        return cls.from_counts(np.stack([np.diagonal(confusion), confusion.sum(0), confusion.sum(1)]), over)

    @classmethod
    def from_counts(cls, counts: NDArray[np.integer[Any]], over: Sequence[int] | None = None) -> Scores:
        """Derive the scores from counts of shape (3, C): right, predicted and true pixels; see ``from_confusion``."""
        right, predicted, true = counts.astype(np.float64)
        classes = tuple(range(len(right))) if over is None else tuple(dict.fromkeys(over))
        if not classes or not set(classes) <= set(range(len(right))):
            raise ValueError(f"means over classes {list(classes)}: name one and more of 0…{len(right) - 1}")
        union = true + predicted - right
        union[union == 0] = np.nan
        return cls(right / union, (predicted - right) / union, (true - right) / union, classes)

    @property
    def miou(self) -> float:
        """Mean IoU over all classes."""
        return _mean(self.iou, self.over)

    @property
    def fp(self) -> float:
        """Mean FP over the foreground classes."""
        return _mean(self.class_fp, self._foreground)

    @property
    def fn(self) -> float:
        """Mean FN over the foreground classes."""
        return _mean(self.class_fn, self._foreground)

    @property
    def fp_all(self) -> float:
        """Mean FP over all classes."""
        return _mean(self.class_fp, self.over)

    @property
    def fn_all(self) -> float:
        """Mean FN over all classes."""
        return _mean(self.class_fn, self.over)

    @property
    def _foreground(self) -> tuple[int, ...]:
        return tuple(index for index in self.over if index != 0)

    def as_row(self) -> dict[str, float]:
        """Return the means under the names that ``metrics.json`` uses; nan where nothing could be averaged."""
        return {name: getattr(self, name) for name in ("miou", "fp", "fn", "fp_all", "fn_all")}


def _mean(values: NDArray[np.float64], over: Sequence[int]) -> float:
    chosen = values[list(over)]
    chosen = chosen[~np.isnan(chosen)]
    return float(chosen.mean()) if chosen.size else float("nan")
