"""COCO's `instances_*.json`: the pictures of a folder and what is annotated in each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from datamodules.errors import DataError
from datamodules.prepare.coco_masks import CLASS_OF, Annotation
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
        DataError: where the file is missing, cut short, no instances file, or knows other categories than COCO's 80.
    """
    try:
        content = read_json_text(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; unpack COCO's annotations_trainval2014.zip there") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); fetch it again") from None
    try:
        pictures = {
            row["id"]: Picture(Path(row["file_name"]).stem, row["file_name"], row["height"], row["width"])
            for row in content["images"]
        }
        for item in content["annotations"]:
            if item["category_id"] not in CLASS_OF:
                raise DataError(f"{path}: category {item['category_id']} is none of COCO's 80; is it another data set?")
            pictures[item["image_id"]].annotations.append(item)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: lacks {error}; it should be COCO's instances_*.json") from None
    return sorted(pictures.values(), key=lambda picture: picture.image_id)
