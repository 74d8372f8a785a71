"""A data set as `mars check data` looks at it: as much of it as can be read, and why the rest cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.image_ids import ImageIds, each_once
from datamodules.files.image_labels import LabelSource, named_labels, open_image_labels
from datamodules.files.shards.shard_folder import ShardFolder
from datamodules.files.tree import Tree, is_packed
from datamodules.prepare.folder import prepare_folder, read_folder
from mars_pl.commands.data_choice import data_choice

TRUTH = "SegmentationClass"
"""Folder of the masks where a YAML names no other; what a mask of it lacks is not measured, so none has to be there."""


OWN_TRUTH = "masks"
"""The same of a folder of one's own."""


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set.

    Attributes:
        tree: where its images lie.
        class_names: background first.
        lists: split → image ids.
        read: image labels of ids; None where there are none, or none that can be read.
        truth: folder of its masks, whether it is there or not; None where none is meant.
        faults: of lists and tables.
        told: what is wrong with single image labels is among them.
    """

    tree: Tree
    class_names: Sequence[str]
    lists: Mapping[str, Sequence[str]]
    read: LabelSource | None
    truth: Path | ShardFolder | None
    faults: list[Fault] = field(default_factory=list)
    told: bool = False

    @cached_property
    def ids(self) -> ImageIds:
        """All images, each once."""
        return each_once(chain.from_iterable(self.lists.values()))


def open_data_set(choice: str, kind: str, settings: Mapping[str, Any], root: Path, splits: Sequence[str]) -> DataSet:
    """Open a data set; the tables of a folder of one's own are brought up to date where nothing is wrong with them.

    Args:
        choice: as `--data` names it.
        kind: which it is; see `data_settings`.
        settings: of its YAML.
        root: its folder.
        splits: lists that are meant; none for all.

    Raises:
        DataError: where nothing of it can be looked at.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such data folder; fetch the data or name another")
    if kind == "folder" and not is_packed(root):
        return _own_folder(root, settings, splits)
    tree = Tree(root)
    if not tree.splits():
        remedy = f"`mars data coco {root}` writes them" if kind == "coco" else "is it the folder that holds JPEGImages?"
        raise DataError(f"{root}: no lists in ImageSets/Segmentation; {remedy}")
    names, _ = data_choice(choice, root)
    lists, faults = _lists(tree, splits or tree.splits())
    read = None
    try:
        read = open_image_labels(root, names, settings.get("image_labels", "auto"))
    except DataError as error:
        faults.append(Fault("image labels", str(root), str(error)))
    truth = _truth(tree, settings, OWN_TRUTH if kind == "folder" else TRUTH)
    return DataSet(tree, names, lists, read, truth, faults)


def _own_folder(root: Path, settings: Mapping[str, Any], splits: Sequence[str]) -> DataSet:
    folder, faults = read_folder(root)
    if any(not fault.note for fault in faults):
        lists = {split: [name for name in ids if name in folder.images] for split, ids in folder.lists.items()}
    else:
        prepare_folder(root)
        lists = {split: list(ids) for split, ids in folder.lists.items()}
    tree = Tree(root, folder.images)
    meant, missing = {}, []
    for split in splits or lists:
        if split in lists:
            meant[split] = lists[split]
        else:
            missing.append(Fault("list", split, f"{root / split}.txt: no such list; there are {', '.join(lists)}"))
    read = named_labels(root, folder.labels, folder.class_names) if folder.labels else None
    truth = _truth(tree, settings, OWN_TRUTH)
    return DataSet(tree, folder.class_names, meant, read, truth, faults + missing, told=True)


def _truth(tree: Tree, settings: Mapping[str, Any], usual: str) -> Path | ShardFolder | None:
    """Return the folder of the masks; one that is not there is named within the root."""
    name = settings.get("truth_folder", usual)
    if name is None:
        return None
    found = tree.folder(name)
    return found if found.is_dir() else tree.root / name


def _lists(tree: Tree, splits: Sequence[str]) -> tuple[dict[str, Sequence[str]], list[Fault]]:
    lists: dict[str, Sequence[str]] = {}
    faults: list[Fault] = []
    for split in splits:
        try:
            lists[split] = tree.ids(split)
        except DataError as error:
            faults.append(Fault("list", split, str(error)))
    return lists, faults
