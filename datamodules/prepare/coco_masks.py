"""A mask from COCO's instances: who wins where two overlap, and what becomes of crowds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from datamodules.files.coco_ids import COCO_CATEGORY_IDS
from datamodules.files.labels import Label

Overlap = Literal["later", "smallest"]
Crowd = Literal["excluded", "included"]

CLASS_OF = {category: index for index, category in enumerate(COCO_CATEGORY_IDS, start=1)}
"""COCO's category id → class 1…80."""


class Rule(NamedTuple):
    """How instances become a mask.

    Attributes:
        overlap: `later` draws in the JSON's order, so that later instances cover earlier ones (CLIMS); with `smallest`
            the instance of smaller area covers the larger one (coco2voc).
        crowd: regions of uncounted instances are left background (CLIMS) or drawn like any other (coco2voc).
    """

    overlap: Overlap = "later"
    crowd: Crowd = "excluded"


Annotation = Mapping[str, Any]
"""An entry of the JSON's `annotations`: category_id, iscrowd, area and segmentation are read."""


def paint(annotations: Sequence[Annotation], height: int, width: int, rule: Rule) -> Label:
    """Draw the instances of one image as classes.

    Args:
        annotations: of the image, in the JSON's order.
        height: of the image.
        width: of the image.
        rule: of overlaps and crowds.

    Returns:
        uint8 (height, width): 0 and 1…80.
    """
    drawn = [item for item in annotations if rule.crowd == "included" or not item["iscrowd"]]
    if rule.overlap == "smallest":
        drawn = sorted(drawn, key=lambda item: float(item["area"]))[::-1]
    label = np.zeros((height, width), dtype=np.uint8)
    for item in drawn:
        label[_region(item["segmentation"], height, width)] = CLASS_OF[item["category_id"]]
    return label


def _region(segmentation: Any, height: int, width: int) -> Any:
    """Return bool (height, width) of polygons, or of runs with or without compression."""
    from pycocotools import mask  # not above, so that a run on other data starts without it

    if not segmentation:
        return np.zeros((height, width), dtype=bool)
    packed = isinstance(segmentation, Mapping) and isinstance(segmentation["counts"], str | bytes)
    runs = segmentation if packed else mask.frPyObjects(segmentation, height, width)
    return mask.decode(mask.merge(runs) if isinstance(runs, list) else runs).astype(bool)
