"""COCO's `instances_*.json`: the pictures of a folder and what is annotated in each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.prepare.coco_annotations import CLASS_OF, Annotation, checked
from datamodules.unpickle.json_text import read_json_text


@dataclass(frozen=True)
class Picture:
    """One image.

    Attributes:
        image_id: its file's name without the suffix, e.g. COCO_train2014_000000000009.
        file: its file's name.
        height: in pixels.
        width: in pixels.
        annotations: of its instances, in the JSON's order.
    """

    image_id: str
    file: str
    height: int
    width: int
    annotations: list[Annotation] = field(default_factory=list)

    @property
    def class_ids(self) -> list[int]:
        """The classes 1…80 it shows, those of crowds too, each once and in order."""
        return sorted({CLASS_OF[item["category_id"]] for item in self.annotations})


def read_instances(path: Path) -> list[Picture]:
    """Read the pictures of an instances file, sorted by their ids.

    Raises:
        DataError: where the file is missing, cut short, no instances file, or an annotation is of no image of the file,
            of another category than COCO's 80, or of no shape that can be drawn.
    """
    try:
        content = read_json_text(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; unpack COCO's annotations_trainval2014.zip there") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); fetch it again") from None
    try:
        pictures = {
            row["id"]: Picture(Path(row["file_name"]).stem, row["file_name"], int(row["height"]), int(row["width"]))
            for row in content["images"]
        }
        entries = list(enumerate(content["annotations"]))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise DataError(f"{path}: lacks {error}; it should be COCO's instances_*.json") from None
    for place, entry in entries:
        _add(path, place, entry, pictures)
    return sorted(pictures.values(), key=lambda picture: picture.image_id)


def _add(path: Path, place: int, entry: Any, pictures: dict[Any, Picture]) -> None:
    """Give an annotation to its picture; raises DataError that names both."""
    if not isinstance(entry, dict):
        raise DataError(f"{path}: annotation {place} is no table; it should be COCO's instances_*.json")
    name, image = f"{path}: annotation {entry.get('id', place)}", entry.get("image_id")
    picture = pictures.get(image) if isinstance(image, int | str) else None
    if picture is None:
        there = next(iter(pictures), None)
        raise DataError(
            f"{name} is of image {image!r}, which `images` does not name (it has {there!r}, …); "
            "take it out, or write both ids alike"
        )
    try:
        picture.annotations.append(checked(entry, picture.height, picture.width))
    except DataError as error:
        raise DataError(f"{name} of image {picture.file}: {error}") from None
