"""A folder of one's own brought into VOC's layout: where its images lie, image labels and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datamodules.errors import DataError
from datamodules.faults import Fault, refuse
from datamodules.files.class_names import read_class_names
from datamodules.files.image_ids import ImageIds
from datamodules.files.image_labels import IMAGE_LABELS, LABEL_TABLE, holds, named_labels, write_table
from datamodules.files.image_list import bare_id, read_ids
from datamodules.files.tree import IMAGE_PATHS, Tree, is_packed
from datamodules.prepare.folder_images import find_own_images
from datamodules.prepare.folder_tables import read_rows, row_faults, table_file
from datamodules.prepare.preparing import list_text, preparing, says, table_text, write_whole
from datamodules.prepare.table_rows import NameTable

SPLITS = ("train", "val", "test")

Form = Literal["auto", "json", "parquet"]

MANY_CLASSES = 1000
"""Foreground classes up to which image labels are a table of names that people can read."""


@dataclass(frozen=True)
class OwnFolder:
    """What a folder of one's own holds.

    Attributes:
        class_names: background first.
        images: image id → path below the root.
        labels: image id → class names.
        lists: split → image ids.
    """

    class_names: tuple[str, ...]
    images: Mapping[str, str]
    labels: Mapping[str, Sequence[str]]
    lists: Mapping[str, Sequence[str]]


def prepare_folder(root: Path, form: Form = "auto") -> None:
    """Write images.json, image_labels.json or .parquet, and lists, where what they say has changed.

    Args:
        root: holds images/ (subfolders too), classes.txt, labels.csv or labels.json, perhaps train.txt, val.txt and
            test.txt; without train.txt every image that no other list names is one to train on.
        form: of the image labels; `auto` keeps the one that is there, and begins with Parquet where there are more than
            `MANY_CLASSES` foreground classes.

    Raises:
        DataError: one line on the first fault, or where the disk refuses.
    """
    if is_packed(root):
        return
    folder, faults = read_folder(root)
    refuse(faults)
    tree = Tree(root)
    table = _takes_table(root, form, folder.class_names)
    files = {root / IMAGE_PATHS: table_text(folder.images)}
    if table:
        ids = ImageIds(folder.labels)
        labels = named_labels(root, folder.labels, folder.class_names)(ids)[0]
    else:
        files[root / IMAGE_LABELS] = table_text(folder.labels)
    files |= {tree.list_file(split): list_text(ids) for split, ids in folder.lists.items()}
    # Once there is an images.json the lists are ours, and those whose source was taken away go.
    ours = SPLITS if (root / IMAGE_PATHS).is_file() else ()
    others = [root / (IMAGE_LABELS if table else LABEL_TABLE), *(tree.list_file(split) for split in ours)]
    stale = [path for path in others if path.is_file() and path not in files]
    told = not table or holds(root / LABEL_TABLE, ids, labels, folder.class_names)
    if not stale and told and all(says(path, text) for path, text in files.items()):
        return  # so that a finished folder may lie on a disk that cannot be written to
    with preparing(root):
        for path in stale:
            path.unlink(missing_ok=True)
        for path, text in files.items():
            write_whole(path, text)
        if not told:
            write_table(root / LABEL_TABLE, ids, labels, folder.class_names)


def _takes_table(root: Path, form: Form, class_names: Sequence[str]) -> bool:
    if form == "auto" and (root / LABEL_TABLE).is_file():
        return True
    there = (root / IMAGE_LABELS).is_file()
    return form == "parquet" or (form == "auto" and not there and len(class_names) - 1 > MANY_CLASSES)


def read_folder(root: Path) -> tuple[OwnFolder, list[Fault]]:
    """Read a folder of one's own, and all that is wrong with it.

    Raises:
        DataError: where images or class names are missing or cannot be read at all.
    """
    class_names, faults = read_class_names(root)
    images, unread, odd = find_own_images(root)
    faults += odd
    labels: Mapping[str, Sequence[str]] = {}
    path = None
    try:
        path = table_file(root)
        rows, odd = read_rows(path, class_names)
        faults += [*odd, *row_faults(path, rows, class_names, images, unread)]
        labels = NameTable((bare_id(name), names) for name, names in rows)
    except DataError as error:
        faults.append(Fault("table", path.name if path else str(root), str(error)))
        path = None
    lists, odd = _lists(root, images)
    faults += odd
    for split, ids in lists.items():
        for image_id in [image_id for image_id in ids if image_id not in images]:
            text = f"{root / split}.txt: {image_id}: no such image; mend the name or take it off the list"
            faults.append(Fault("listed without image", image_id, text))
        for image_id in [image_id for image_id in ids if path and image_id in images and image_id not in labels]:
            text = f"{path}: no row for {images[image_id]}; add one, or move the image away"
            faults.append(Fault("image without row", image_id, text))
    return OwnFolder(class_names, images, labels, lists), faults


def _lists(root: Path, images: Mapping[str, str]) -> tuple[dict[str, Sequence[str]], list[Fault]]:
    lists: dict[str, Sequence[str]] = {}
    faults: list[Fault] = []
    for split in SPLITS:
        path = root / f"{split}.txt"
        try:
            if path.is_file():
                lists[split] = read_ids(path, images)
        except DataError as error:
            faults.append(Fault("list", path.name, str(error)))
    if "train" not in lists:
        elsewhere = {image_id for ids in lists.values() for image_id in ids}
        lists["train"] = ImageIds(image_id for image_id in images if image_id not in elsewhere)
        if not len(lists["train"]):
            named = " and ".join(f"{split}.txt" for split in SPLITS if split in lists and split != "train")
            text = f"{root}: {named} names all images, none is left to train on; take some off"
            faults.append(Fault("nothing to train on", str(root), text, note=True))
    return lists, faults
