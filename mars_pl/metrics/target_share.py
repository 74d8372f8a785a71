"""Which candidates lie on the object and which on its companion: Fig. 8's rule (paper §4.3). It measures only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Literal

Kind = Literal["target", "between", "biased", "unknown"]

TARGET_ABOVE = 0.3
BIASED_BELOW = 0.1


def kind(iou: float | None) -> Kind:
    """Name a centroid by the IoU of its region with the true mask of its class, in [0, 1].

    Above .3 it is a target, below .1 biased; None and NaN, where there is no truth, are unknown.
    """
    if iou is None or math.isnan(iou):
        return "unknown"
    return "target" if iou > TARGET_ABOVE else "biased" if iou < BIASED_BELOW else "between"


def target_share(kinds: Iterable[Kind]) -> float | None:
    """Return targets over targets and biased; None where there is neither."""
    counts = Counter(kinds)
    judged = counts["target"] + counts["biased"]
    return counts["target"] / judged if judged else None
