"""Class names, background first: of the data sets we know by name and of a folder of one's own; what names must be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.labels import SIXTEEN_BIT

# fmt: off
COCO_NAMES = (
    "background", "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep",
    "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich",
    "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed",
    "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven",
    "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)
# fmt: on
"""In the order of COCO's category ids."""

CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "voc": (
        "background",
        "aeroplane",
        "bicycle",
        "bird",
        "boat",
        "bottle",
        "bus",
        "car",
        "cat",
        "chair",
        "cow",
        "diningtable",
        "dog",
        "horse",
        "motorbike",
        "person",
        "pottedplant",
        "sheep",
        "sofa",
        "train",
        "tvmonitor",
    ),
    "coco": COCO_NAMES,
    "scenes": ("background", "train", "boat", "sheep", "bird", "horse", "car", "balloon"),
}
"""Name of the data set → class names; the place of a name is its index in the labels."""

CLASSES = "classes.txt"
"""Class names of a folder of one's own, one a line."""


def checked_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the names as a tuple; raises DataError where they are not background first, each once, 65,534 at most."""
    names = tuple(class_names)
    if len(names) < 2 or names[0] != "background" or len(set(names)) < len(names):
        raise DataError(f"data.class_names: {', '.join(names) or 'none'}; give each class once, background first")
    if len(names) > SIXTEEN_BIT.biased:
        raise DataError(f"data.class_names: {len(names)} classes, labels hold {SIXTEEN_BIT.biased}; merge some")
    return names


def folder_class_names(root: Path) -> tuple[str, ...]:
    """Read `classes.txt`, one name a line, and put background in front.

    Raises:
        DataError: where it is missing or names a class twice.
    """
    path = root / CLASSES
    if not path.is_file():
        raise DataError(
            f"{path}: no such file; write the class names there, one a line, or name their folder (data.root, --root)"
        )
    names = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    return checked_names(names if names[:1] == ["background"] else ["background", *names])


def class_ids(scored: Sequence[str], class_names: Sequence[str]) -> list[int]:
    """Return the label ids of the classes that means are taken over; raises DataError for an unknown name."""
    for name in scored:
        if name not in class_names:
            raise DataError(f"data.scored_classes: {name} is none of {', '.join(class_names)}; mend the name")
    return [list(class_names).index(name) for name in scored]
