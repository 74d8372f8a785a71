"""A data set: its lists, images, image labels and masks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from datamodules.checks import inspect_images
from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.image_labels import NoLabelError, label_reader
from datamodules.files.tree import Tree
from datamodules.prepare.folder import prepare_folder, read_folder
from mars_pl.commands.data_choice import data_choice, data_settings

TRUTH = "SegmentationClass"
"""Folder of the masks where a YAML names no other; what a mask of it lacks is not measured, so none has to be there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which data set is meant."""
    parser.add_argument("path", type=Path, metavar="ROOT", help="the data folder")
    words = "its kind: voc, coco, scenes, folder or a data YAML"
    parser.add_argument("--data", required=True, metavar="NAME|YAML", help=words)
    words = "lists to look over (default: all in ImageSets/Segmentation)"
    parser.add_argument("--split", action="append", default=[], metavar="NAME", help=words)


def inspect(options: argparse.Namespace) -> tuple[int, list[Fault]]:
    """Return how many images were looked over, and all faults."""
    try:
        kind, settings = data_settings(options.data)
        faults = list(_prepared(kind, options.path))
        if faults:
            return 0, faults
        names, _ = data_choice(options.data, options.path)
        tree = Tree(options.path)
        lists, faults = _lists(tree, options.split or tree.splits())
        ids = list(dict.fromkeys(image_id for members in lists.values() for image_id in members))
        faults += _shared(lists)
        faults += _image_labels(options.path, lists, names, settings)
        folder = settings.get("truth_folder", "masks" if kind == "folder" else TRUTH)
        truth = None if folder is None else tree.folder(folder)
        return len(ids), faults + inspect_images(tree, ids, len(names), truth_folder=truth)
    except DataError as error:  # nothing else can be looked at
        return 0, [Fault("data set", str(options.path), str(error))]


def _prepared(kind: str, root: Path) -> Iterator[Fault]:
    """Yield why there are no lists to look over; the tables of a folder of one's own are brought up to date."""
    if not root.is_dir():
        yield Fault("data set", str(root), f"{root}: no such data folder; fetch the data or name another")
    elif kind == "folder":
        _, faults = read_folder(root)
        yield from faults
        if not faults:
            prepare_folder(root)
    elif not Tree(root).splits():
        remedy = f"`mars data coco {root}` writes them" if kind == "coco" else "is it the folder that holds JPEGImages?"
        yield Fault("data set", str(root), f"{root}: no lists in ImageSets/Segmentation; {remedy}")


def _lists(tree: Tree, splits: Sequence[str]) -> tuple[dict[str, list[str]], list[Fault]]:
    lists, faults = {}, []
    for split in splits:
        try:
            lists[split] = tree.ids(split)
        except DataError as error:
            faults.append(Fault("list", split, str(error)))
    return lists, faults


def _shared(lists: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """Yield images that are trained on and scored."""
    trained = [split for split in lists if split.startswith("train") and "val" not in split]
    scored = [split for split in lists if split.startswith(("val", "test"))]
    for one, other in product(trained, scored):
        for image_id in sorted(set(lists[one]) & set(lists[other])):
            text = f"{image_id}: is in {one} and in {other}; take it off one of the two"
            yield Fault("trained on and scored", image_id, text)


def _image_labels(
    root: Path, lists: Mapping[str, Sequence[str]], names: Sequence[str], settings: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yield images without labels, but for those of a test list, and labels that do not fit the classes."""
    try:
        read = label_reader(root, names, settings.get("image_labels", "auto"))
    except DataError as error:
        yield Fault("image labels", str(root), str(error))
        return
    needed = dict.fromkeys(image_id for split, ids in lists.items() if split[:4] != "test" for image_id in ids)
    for image_id in needed if read is not None else ():
        try:
            read(image_id)  # type: ignore[misc]
        except NoLabelError as error:
            yield Fault("missing image label", image_id, str(error))
        except DataError as error:
            yield Fault("image label", image_id, str(error))
