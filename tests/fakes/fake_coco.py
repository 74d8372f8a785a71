"""A tiny COCO 2014: its folders, file names, category ids and JSON, with shapes in images of 40 to 64 pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CATEGORIES = (1, 17, 90)
"""person, cat, toothbrush: classes 1, 16 and 80."""

COLOURS = ((220, 40, 40), (40, 200, 60), (50, 70, 230))


def make_coco_tree(root: Path, train: int = 6, val: int = 3) -> None:
    """Write train2014, val2014 and annotations; the last image of each has no annotation.

    Image i shows category i % 3, every other one a second category; polygons and, in every third image, a crowd's runs.
    """
    rng = np.random.default_rng(0)
    (root / "annotations").mkdir(parents=True)
    number = 8
    for split, count in (("train2014", train), ("val2014", val)):
        (root / split).mkdir()
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for index in range(count):
            number += 1
            height, width = (int(side) for side in rng.integers(40, 65, size=2))
            image = rng.integers(90, 130, size=(height, width, 3)).astype(np.uint8)
            if index < count - 1:
                for place in range(1 + index % 2):
                    which = (index + place) % 3
                    left, top = 4 + 18 * place, 6
                    image[top : top + 16, left : left + 14] = COLOURS[which]
                    annotations.append(box(number, CATEGORIES[which], left, top, 14, 16))
                if index % 3 == 0:
                    annotations.append(crowd(number, 1, height, width))
            name = f"COCO_{split}_{number:012d}.jpg"
            Image.fromarray(image).save(root / split / name, quality=95)
            images.append({"id": number, "file_name": name, "height": height, "width": width})
        content = {"images": images, "annotations": annotations, "categories": [{"id": key} for key in CATEGORIES]}
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))


def box(image: int, category: int, left: int, top: int, width: int, height: int) -> dict[str, Any]:
    """Return a rectangle as COCO writes a polygon."""
    right, bottom = left + width, top + height
    corners = [left, top, right, top, right, bottom, left, bottom]
    return {
        "image_id": image,
        "category_id": category,
        "iscrowd": 0,
        "area": width * height,
        "segmentation": [[float(value) for value in corners]],
    }


def crowd(image: int, category: int, height: int, width: int) -> dict[str, Any]:
    """Return a crowd over the two last columns, as COCO writes runs: column by column, background first."""
    runs = {"size": [height, width], "counts": [height * (width - 2), height * 2]}
    return {"image_id": image, "category_id": category, "iscrowd": 1, "area": height * 2, "segmentation": runs}
