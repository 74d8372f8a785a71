"""The one curve of Leopart's learning rate, weight decay and teacher (its ``cosine_scheduler``)."""

from __future__ import annotations

import math


def cosine(start: float, end: float, step: int, total: int) -> float:
    """Go from ``start`` at step 0 to ``end`` at step ``total`` along half a cosine; beyond it stays at ``end``."""
    return end + (start - end) * (1 + math.cos(math.pi * min(step / total, 1))) / 2
