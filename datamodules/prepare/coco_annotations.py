"""An entry of COCO's `annotations`, looked over and brought into one form: tools write them in several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, TypedDict

from datamodules.errors import DataError
from datamodules.files.coco_ids import COCO_CATEGORY_IDS

CLASS_OF = {category: index for index, category in enumerate(COCO_CATEGORY_IDS, start=1)}
"""COCO's category id → class 1…80."""

FARTHEST = 1e6
"""Pixels from the image's corner, and the largest area's side: pycocotools holds a point for each pixel of an edge."""

FEWEST = 6
"""Numbers of a polygon: three corners. pycocotools would take four numbers for a box."""

Runs: TypeAlias = dict[str, Any]


class Annotation(TypedDict):
    """One instance.

    Attributes:
        category_id: one of COCO's 80.
        iscrowd: of uncounted instances.
        area: in pixels; None where the file does not say.
        segmentation: polygons as lists of x, y, …; or runs, ``size`` and a list of ``counts``.
    """

    category_id: int
    iscrowd: bool
    area: float | None
    segmentation: list[list[float]] | Runs


def checked(entry: Any, height: int, width: int) -> Annotation:
    """Return an entry in one form: no `iscrowd` is 0, a polygon alone is a list of one, one that is lost is left out.

    Args:
        entry: of the JSON.
        height: of its image.
        width: of its image.

    Raises:
        DataError: in words that follow the annotation's name, where its category is none of COCO's, or its shape cannot
            be drawn.
    """
    category = entry.get("category_id")
    if not isinstance(category, int) or category not in CLASS_OF:
        raise DataError(f"category {category!r} is none of COCO's 80; is it another data set?")
    area = entry.get("area")
    return {
        "category_id": category,
        "iscrowd": bool(entry.get("iscrowd", 0)),
        "area": float(area) if _is_number(area, FARTHEST**2) else None,
        "segmentation": checked_shape(entry.get("segmentation"), height, width),
    }


def checked_shape(segmentation: Any, height: int, width: int) -> list[list[float]] | Runs:
    """Return a segmentation that pycocotools can draw: polygons, or runs with a list of counts.

    Raises:
        DataError: in words that follow the annotation's name, where it cannot be drawn.
    """
    if isinstance(segmentation, Mapping):
        return _runs(segmentation, height, width)
    if segmentation is None or segmentation == []:
        return []
    if not isinstance(segmentation, list):
        raise DataError(f"a segmentation of {type(segmentation).__name__}; polygons or runs are drawn")
    polygons = segmentation if isinstance(segmentation[0], list) else [segmentation]
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) % 2 or not all(_is_number(one, FARTHEST) for one in polygon):
            raise DataError("a polygon that is no list of x, y, …; write the corners in pixels")
    return [[float(one) for one in polygon] for polygon in polygons if len(polygon) >= FEWEST]


def _is_number(value: Any, largest: float) -> bool:
    """JSON's whole numbers may be larger than any float, and its floats be none."""
    return type(value) in (int, float) and abs(value) <= largest


def _runs(segmentation: Mapping[str, Any], height: int, width: int) -> Runs:
    counts, size = segmentation.get("counts"), segmentation.get("size")
    if size != [height, width]:
        raise DataError(f"runs of size {size}, its image has {height}×{width}")
    if isinstance(counts, str):
        counts = _unpacked(counts)
    if not isinstance(counts, list) or not all(type(one) is int and one >= 0 for one in counts):
        raise DataError("runs whose counts are no whole numbers, packed or in a list")
    if sum(counts) != height * width:
        raise DataError(f"runs over {sum(counts)} pixels, its image has {height * width}")
    return {"size": size, "counts": counts}


def _unpacked(text: str) -> list[int]:
    """Return the counts of packed runs: five bits a character, low ones first, each number less the one two before it.

    pycocotools reads them in C and believes them: counts beyond the image write beyond its memory.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise DataError("runs whose counts are packed in another way than COCO's")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:  # more of this number follows
            continue
        if bits & 16:  # its highest bit is its sign
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise DataError("packed runs that end in the midst of a number")
    return counts
