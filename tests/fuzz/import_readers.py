"""The readers of annotation programs' exports, with a valid small file of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datamodules.prepare.imports.kinds import kind_of, read_export
from datamodules.prepare.imports.yolo import read_yolo_label, read_yolo_names
from tests.fuzz.reader import Reader

NAMES = ("cat", "dog")
POLYGON = [[0, 0], [50, 0], [50, 50]]
TASKS: list[dict[str, Any]] = [
    {
        "id": 1,
        "data": {"image": "/data/upload/1/0a1b2c3d-a.jpg"},
        "annotations": [
            {
                "was_cancelled": False,
                "result": [
                    {"type": "choices", "value": {"choices": ["cat"]}},
                    {"type": "polygonlabels", "value": {"points": POLYGON, "polygonlabels": ["dog"]}},
                ],
            }
        ],
    }
]
SHORT = [{"image": "a.jpg", "choice": "cat", "label": [{"x": 1, "y": 2, "rectanglelabels": ["dog"]}]}]
CVAT = (
    "<?xml version='1.0' encoding='utf-8'?><annotations><meta><task><labels><label><name>dog</name></label></labels>"
    "</task></meta><image id='0' name='a.jpg' width='8' height='8'><tag label='cat'/>"
    "<polygon label='dog' points='0,0;4,0;4,4' z_order='1'/></image></annotations>"
)
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "height": 8, "width": 8}],
    "annotations": [{"image_id": 1, "category_id": 7, "segmentation": [[0, 0, 4, 0, 4, 4]]}],
    "categories": [{"id": 7, "name": "cat", "supercategory": "animal"}, {"id": 9, "name": "dog"}],
}


def _text(content: Any) -> Callable[[], bytes]:
    return lambda: (content if isinstance(content, str) else json.dumps(content)).encode()


def _by_content(path: Path) -> None:
    read_export(path, kind_of(path))


IMPORT_READERS = {
    "Label Studio": Reader("tasks.json", _text(TASKS), _by_content),
    "Label Studio, short": Reader("tasks.json", _text(SHORT), _by_content),
    "CVAT": Reader("annotations.xml", _text(CVAT), _by_content),
    "COCO of own categories": Reader("instances.json", _text(COCO), _by_content),
    "YOLO label": Reader(
        "a.txt", _text("0 .5 .5 .2 .2\n1 0 0 .5 0 .5 .5\n"), lambda path: read_yolo_label(path, NAMES)
    ),
    "YOLO names": Reader("data.yaml", _text("nc: 2\nnames: {0: cat, 1: dog}\ntrain: images/train\n"), read_yolo_names),
    "YOLO list of names": Reader("classes.txt", _text("cat\ndog\n"), read_yolo_names),
}
