"""COCO's category ids, which run to 90 with gaps, and the 80 classes without gaps that labels hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# fmt: off
COCO_CATEGORY_IDS = (
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 27, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44,
    46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65,
    67, 70, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 84, 85, 86, 87, 88, 89, 90,
)
# fmt: on
"""The category ids of COCO's instances in order; the place of an id, counted from 1, is its class."""

NO_CATEGORY = 254
"""What `coco_table` gives for an id that is no category."""


def coco_table() -> NDArray[np.uint8]:
    """Return uint8 (256,): class 0…80 of each code, 0 and 255 as they are, `NO_CATEGORY` for every other."""
    table = np.full(256, NO_CATEGORY, dtype=np.uint8)
    table[list(COCO_CATEGORY_IDS)] = np.arange(1, len(COCO_CATEGORY_IDS) + 1)
    table[[0, 255]] = 0, 255
    return table
