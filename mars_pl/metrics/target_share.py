"""Which candidates lie on the object and which on its companion: Fig. 8's rule (paper §4.3). It measures only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = ("target", "between", "biased", "unknown")

TARGET_ABOVE = 0.3
BIASED_BELOW = 0.1


def kinds(iou: NDArray[np.floating[Any]]) -> NDArray[np.int8]:
    """Tell what each centroid is by the IoU of its region with the true mask of its class, in [0, 1].

    Above .3 it is a target, below .1 biased; NaN, where there is no truth, is unknown.

    Returns:
        int8 of the same shape, places in ``KINDS``.
    """
    cases = [iou > TARGET_ABOVE, iou < BIASED_BELOW, np.isnan(iou)]
    places: list[Any] = [KINDS.index(name) for name in ("target", "biased", "unknown")]
    return np.select(cases, places, KINDS.index("between")).astype(np.int8)


def kind_counts(classes: NDArray[np.integer[Any]], found: NDArray[np.int8], num_classes: int) -> NDArray[np.int64]:
    """Count the candidates of each class by their kinds.

    Args:
        classes: (N,) in 0…num_classes − 1.
        found: (N,) places in ``KINDS``.
        num_classes: background included.

    Returns:
        int64 (num_classes, 4).
    """
    cells = np.bincount(classes.astype(np.int64) * len(KINDS) + found, minlength=num_classes * len(KINDS))
    return cells.reshape(num_classes, len(KINDS))


def target_share(counts: NDArray[np.int64]) -> float | None:
    """Return targets over targets and biased, of the counts (4,) of each kind; None where there is neither."""
    targets, biased = int(counts[KINDS.index("target")]), int(counts[KINDS.index("biased")])
    return targets / (targets + biased) if targets + biased else None
