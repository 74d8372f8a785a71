"""Class names, background first: of the data sets we know by name and of a folder of one's own; what names must be."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from datamodules.errors import DataError
from datamodules.faults import Fault, refuse
from datamodules.files.labels import SIXTEEN_BIT
from datamodules.files.text_file import guessed_text

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

NO_CLASSES = {
    "background": "the background is 0 and added by itself",
    "ignore": "ignored pixels are no class but 255 in the masks",
    "unlabelled": "unlabelled pixels are no class but 255 in the masks",
}
"""What other programs list among the classes, letters alone, and where it belongs here."""

MANY = 100
"""Names of which no more are told in a line."""

CLASS_NAMES_KEY = b"class_names"
"""Key in the metadata of Parquet files: JSON, the name of each class, background first."""

_SPELT = {"ignored": "ignore", "unlabeled": "unlabelled", "bg": "background"}


def checked_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the names as a tuple.

    Raises:
        DataError: where they are not background first, each once, 65,534 at most, or one of them is no class.
    """
    names = tuple(class_names)
    if len(names) < 2 or names[0] != "background" or len(set(names)) < len(names):
        raise DataError(f"data.class_names: {in_words(names) or 'none'}; give each class once, background first")
    if len(names) > SIXTEEN_BIT.biased:
        raise DataError(f"data.class_names: {len(names)} classes, labels hold {SIXTEEN_BIT.biased}; merge some")
    for name in names[1:]:
        if said := no_class(name):
            raise DataError(f"data.class_names: “{name}” is no class, {said}; take it out")
    return names


def no_class(name: str) -> str | None:
    """Return why a name (`_background_`, `__ignore__`) is none of a class; None where it may be one."""
    letters = re.sub(r"[\W_]", "", name).casefold()
    return NO_CLASSES.get(_SPELT.get(letters, letters))


def folder_class_names(root: Path) -> tuple[str, ...]:
    """Read `classes.txt`, one name a line, and put background in front.

    Raises:
        DataError: where it is missing, in another encoding, or names a class twice or what is no class.
    """
    names, faults = read_class_names(root)
    refuse(faults)
    return names


def read_class_names(root: Path) -> tuple[tuple[str, ...], list[Fault]]:
    """Read `classes.txt` with background in front, and name what is wrong with its encoding and lines.

    Raises:
        DataError: where it is missing, or names no class.
    """
    path = root / CLASSES
    if not path.is_file():
        raise DataError(
            f"{path}: no such file; write the class names there, one a line, or name their folder (data.root, --root)"
        )
    text, faults = guessed_text(path)
    lines = [line.strip() for line in unicodedata.normalize("NFC", text).splitlines() if line.strip()]
    names = lines[1:] if lines[:1] == ["background"] else lines
    odd = {name: said for name in names if (said := no_class(name))}
    remedy = "remove the line; the first class is 1 in the masks"
    faults += [Fault("no class", name, f"{path}: “{name}” is no class, {said}; {remedy}") for name, said in odd.items()]
    twice = [name for name, count in Counter(names).items() if count > 1]
    faults += [Fault("class twice", name, f"{path}: “{name}” is there twice; name each class once") for name in twice]
    classes = list(dict.fromkeys(name for name in names if name not in odd))
    if not classes:
        raise DataError(f"{path}: names no class; write one a line")
    return checked_names(["background", *classes]), faults


def in_words(names: Iterable[str]) -> str:
    """Return names with commas between them; of very many only the first."""
    told = list(names)
    more = f" and {len(told) - MANY:,} more" if len(told) > MANY else ""
    return ", ".join(told[:MANY]) + more


def class_ids(scored: Sequence[str], class_names: Sequence[str]) -> list[int]:
    """Return the label ids of the classes that means are taken over; raises DataError for an unknown name."""
    places = {name: place for place, name in enumerate(class_names)}
    for name in scored:
        if name not in places:
            raise DataError(f"data.scored_classes: {name} is none of {in_words(class_names)}; mend the name")
    return [places[name] for name in scored]
