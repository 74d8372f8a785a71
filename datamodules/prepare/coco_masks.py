"""A mask from COCO's instances: who wins where two overlap, and what becomes of crowds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from datamodules.files.labels import Label
from datamodules.prepare.coco_annotations import CLASS_OF, Annotation

Overlap = Literal["later", "smallest"]
Crowd = Literal["excluded", "included"]


class Rule(NamedTuple):
    """How instances become a mask.

    Attributes:
        overlap: `later` draws in the JSON's order, so that later instances cover earlier ones (CLIMS); with `smallest`
            the instance of smaller area covers the larger one (coco2voc).
        crowd: regions of uncounted instances are left background (CLIMS) or drawn like any other (coco2voc).
    """

    overlap: Overlap = "later"
    crowd: Crowd = "excluded"


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
    wanted = [item for item in annotations if rule.crowd == "included" or not item["iscrowd"]]
    drawn = [(item, region_of(item["segmentation"], height, width)) for item in wanted]
    if rule.overlap == "smallest":
        drawn = sorted(drawn, key=lambda one: float(one[1].sum()) if one[0]["area"] is None else one[0]["area"])[::-1]
    label = np.zeros((height, width), dtype=np.uint8)
    for item, region in drawn:
        label[region] = CLASS_OF[item["category_id"]]
    return label


def region_of(segmentation: Any, height: int, width: int) -> Any:
    """Return bool (height, width) of polygons or runs."""
    from pycocotools import mask  # not above, so that a run on other data starts without it

    if not segmentation:
        return np.zeros((height, width), dtype=bool)
    runs = mask.frPyObjects(segmentation, height, width)
    return mask.decode(mask.merge(runs) if isinstance(runs, list) else runs).astype(bool)
