"""CVAT's XML (`CVAT for images 1.1`): tags, boxes, polygons; where all is polygons, masks too."""

from __future__ import annotations

import math
import re
from pathlib import Path
from xml.etree import ElementTree

from datamodules.errors import DataError
from datamodules.prepare.coco_annotations import FARTHEST, FEWEST
from datamodules.prepare.imports.export import Export, ExportedImage, Region, once, split_of, text_at

POLYGON = "polygon"
SHAPES = ("tag", "box", POLYGON, "polyline", "points", "mask", "ellipse", "cuboid", "skeleton")
"""Elements below an image that name a label."""


def read_cvat(source: Path) -> Export:
    """Read an export; images without any annotation are left out.

    Args:
        source: the XML file, ``annotations.xml`` in CVAT's archive.

    Raises:
        DataError: where it is none, or an element lacks its label or its corners.
    """
    try:
        root = ElementTree.parse(source).getroot()
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # the two of encodings
        raise DataError(f"{source}: not XML ({error}); export it again") from None
    images, skipped = [], 0
    for element in root.findall("image"):
        place = text_at(source, "an image's name", element.get("name")).replace("\\", "/")
        shapes = sorted((one for one in element if one.tag in SHAPES), key=_order)
        if not shapes:
            skipped += 1
            continue
        names = [text_at(source, f"{place}: a label", one.get("label")) for one in shapes]
        drawn = [one for one in shapes if one.tag != "tag"]
        regions = [_region(source, place, one) for one in drawn if one.tag == POLYGON]
        whole = tuple(regions) if len(regions) == len(drawn) else ()
        parts = [element.get("subset") or "", *place.split("/")[:-1]]
        images.append(ExportedImage(place, once(names), whole, split_of(parts)))
    if not images:
        raise DataError(f"{source}: no annotated <image>; export the task as “CVAT for images 1.1”")
    told = once(name.text or "" for name in root.iterfind("meta/*/labels/label/name"))
    shown = sorted({name for image in images for name in image.names})
    return Export(once([*told, *shown]), images, skipped)


def _order(element: ElementTree.Element) -> int:
    """Later covers earlier."""
    text = element.get("z_order") or "0"
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else 0


def _region(source: Path, place: str, element: ElementTree.Element) -> Region:
    words = (element.get("points") or "").replace(";", ",").split(",")
    try:
        corners = [float(word) for word in words]
    except ValueError:
        corners = []
    if len(corners) < FEWEST or len(corners) % 2 or not all(abs(one) <= FARTHEST for one in map(_finite, corners)):
        raise DataError(f"{source}: {place}: a polygon's points are no corners “x,y;x,y;x,y”; export it again")
    return Region(element.get("label") or "", [corners])


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.inf
