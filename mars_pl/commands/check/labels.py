"""A folder of labels: one for each image, of its image's size, with codes of the classes that the image shows."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from datamodules.checks import inspect_images, inspect_mask
from datamodules.contradictions import CONTRADICTIONS, Shown, weighed
from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.image_list import read_ids
from datamodules.files.shards.place import place
from datamodules.files.tree import Tree
from mars_pl.commands.check.found import Found
from mars_pl.commands.check.mask_names import stray_masks
from mars_pl.commands.data_choice import data_choice, image_label_source
from mars_pl.commands.file_loop import ids_in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which labels are meant, and what they have to fit."""
    parser.add_argument("path", type=Path, metavar="FOLDER", help="folder of <image id>.png, or of their shards")
    words = "data set whose classes apply: voc, coco, scenes, folder or a data YAML"
    parser.add_argument("--data", required=True, metavar="NAME|YAML", help=words)
    parser.add_argument("--root", type=Path, metavar="DIR", help="data folder: check the sizes against its images")
    images = parser.add_mutually_exclusive_group()
    images.add_argument("--list", type=Path, metavar="FILE", help="image ids that must have one (default: every file)")
    images.add_argument("--split", metavar="NAME", help="list of the data folder in its place")


def inspect(options: argparse.Namespace) -> Found:
    """Look the labels over."""
    try:
        folder = place(options.path)
        if options.split and options.root is None:
            raise DataError(f"--split {options.split}: is a list of the data folder; name that by --root")
        if not folder.is_dir():
            raise DataError(f"{folder}: no such label folder; name the one that holds <image id>.png")
        names = data_choice(options.data, options.root)[0]
        ids = _ids(options)
        if options.root is None:
            faults = [fault for name in ids for fault in inspect_mask(folder / f"{name}.png", len(names))]
            return Found(len(ids), faults)
        tree = Tree(options.root)
        shown, faults = _shown(options, names, ids)
        faults += stray_masks(options.path, tree, ids)
        found = inspect_images(tree, ids, len(names), label_folder=folder, shown=shown)
        return Found(len(ids), faults + weighed(found, dict.fromkeys(CONTRADICTIONS, len(ids))))
    except DataError as error:
        return Found(0, [Fault("label folder", str(options.path), str(error))])


def _shown(options: argparse.Namespace, names: Sequence[str], ids: Sequence[str]) -> tuple[Shown | None, list[Fault]]:
    """Return what the images show, or that labels cannot be held against it."""
    try:
        read = image_label_source(options.data, options.root, names)
    except DataError as error:
        text = f"labels are not held against image labels: {error}"
        return None, [Fault("no image labels", str(options.root), text, note=True)]
    return read and Shown(names, read(ids)[0].__getitem__), []


def _ids(options: argparse.Namespace) -> Sequence[str]:
    if options.list is not None:
        return read_ids(options.list)
    if options.split is not None:
        return Tree(options.root).ids(options.split)
    return ids_in(place(options.path), ".png")
