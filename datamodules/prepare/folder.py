"""A folder of one's own brought into VOC's layout: where its images lie, image labels and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.errors import DataError
from datamodules.faults import Fault, refuse
from datamodules.files.class_names import folder_class_names
from datamodules.files.image_labels import IMAGE_LABELS
from datamodules.files.image_list import SUFFIXES, bare_id, read_ids
from datamodules.files.tree import IMAGE_PATHS, Tree
from datamodules.prepare.folder_tables import read_rows, row_faults, table_file
from datamodules.prepare.preparing import list_text, preparing, says, table_text, write_whole

IMAGES = "images"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class OwnFolder:
    """What a folder of one's own holds.

    Attributes:
        images: image id → path below the root.
        labels: image id → class names.
        lists: split → image ids.
    """

    images: Mapping[str, str]
    labels: Mapping[str, Sequence[str]]
    lists: Mapping[str, Sequence[str]]


def prepare_folder(root: Path) -> None:
    """Write images.json, image_labels.json and lists, where what they say has changed.

    Args:
        root: holds images/ (subfolders too), classes.txt, labels.csv or labels.json, perhaps train.txt, val.txt and
            test.txt; without train.txt every image that no other list names is one to train on.

    Raises:
        DataError: one line on the first fault, or where the disk refuses.
    """
    folder, faults = read_folder(root)
    refuse(faults)
    tree = Tree(root)
    files = {root / IMAGE_PATHS: table_text(folder.images), root / IMAGE_LABELS: table_text(folder.labels)}
    files |= {tree.list_file(split): list_text(ids) for split, ids in folder.lists.items()}
    # Once there is an images.json the lists are ours, and those whose source was taken away go.
    ours = SPLITS if (root / IMAGE_PATHS).is_file() else ()
    stale = [path for split in ours if (path := tree.list_file(split)).is_file() and path not in files]
    if not stale and all(says(path, text) for path, text in files.items()):
        return  # so that a finished folder may lie on a disk that cannot be written to
    with preparing(root):
        for path in stale:
            path.unlink(missing_ok=True)
        for path, text in files.items():
            write_whole(path, text)


def read_folder(root: Path) -> tuple[OwnFolder, list[Fault]]:
    """Read a folder of one's own, and all that is wrong with it.

    Raises:
        DataError: where images, class names or the table are missing or cannot be read at all.
    """
    class_names = folder_class_names(root)
    images, faults = _images(root)
    path = table_file(root)
    rows = read_rows(path, class_names)
    faults += row_faults(path, rows, class_names, images)
    labels = {bare_id(name): names for name, names in rows}
    lists = _lists(root, images)
    for split, ids in lists.items():
        for image_id in [image_id for image_id in ids if image_id not in images]:
            text = f"{root / split}.txt: {image_id}: no such image; mend the name or take it off the list"
            faults.append(Fault("listed without image", image_id, text))
        for image_id in [image_id for image_id in ids if image_id in images and image_id not in labels]:
            text = f"{path}: no row for {images[image_id]}; add one, or move the image away"
            faults.append(Fault("image without row", image_id, text))
    return OwnFolder(images, labels, lists), faults


def _images(root: Path) -> tuple[dict[str, str], list[Fault]]:
    folder = root / IMAGES
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not files:
        raise DataError(f"{folder}: no images ({', '.join(SUFFIXES)}); put them there or set data.root")
    found: dict[str, str] = {}
    faults = []
    for file in files:
        image_id, place = bare_id(file.name), file.relative_to(root).as_posix()
        if image_id in found:
            text = f"{file}: called like {root / found[image_id]}; each needs a name of its own, suffix not counted"
            faults.append(Fault("name twice", place, text))
        if len(image_id.split()) != 1:
            faults.append(Fault("name with a space", place, f"{file}: has a space in its name; rename it"))
        found.setdefault(image_id, place)
    return found, faults


def _lists(root: Path, images: Mapping[str, str]) -> dict[str, list[str]]:
    lists = {split: read_ids(root / f"{split}.txt") for split in SPLITS if (root / f"{split}.txt").is_file()}
    if "train" not in lists:
        elsewhere = {image_id for ids in lists.values() for image_id in ids}
        lists["train"] = [image_id for image_id in images if image_id not in elsewhere]
    return lists
