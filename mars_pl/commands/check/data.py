"""A data set: its lists, images, image labels and masks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from datamodules.checks import inspect_images
from datamodules.contradictions import CONTRADICTIONS, Shown, weighed
from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.image_ids import repeated
from datamodules.files.image_labels import ImageLabels, NoLabelError
from mars_pl.commands.check.data_set import DataSet, open_data_set
from mars_pl.commands.check.found import Found
from mars_pl.commands.check.mask_names import masks_elsewhere, stray_masks
from mars_pl.commands.data_choice import data_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which data set is meant."""
    parser.add_argument("path", type=Path, metavar="ROOT", help="the data folder")
    words = "its kind: voc, coco, scenes, folder or a data YAML"
    parser.add_argument("--data", required=True, metavar="NAME|YAML", help=words)
    words = "lists to look over (default: all in ImageSets/Segmentation)"
    parser.add_argument("--split", action="append", default=[], metavar="NAME", help=words)


def inspect(options: argparse.Namespace) -> Found:
    """Look the data set over: what is wrong with one part keeps no other from being looked at."""
    try:
        kind, settings = data_settings(options.data)
        data = open_data_set(options.data, kind, settings, options.path, options.split)
    except DataError as error:  # nothing else can be looked at
        return Found(0, [Fault("data set", str(options.path), str(error))])
    labels, faults = _image_labels(data)
    scored = settings.get("scored_classes") or data.class_names
    faults = [*data.faults, *_shared(data.lists), *_alike(data.ids), *faults, *_unseen(data, labels, scored)]
    ids, truth = data.ids, data.truth
    shown = None if labels is None else Shown(data.class_names, labels.__getitem__)
    there = truth if truth is not None and truth.is_dir() else None
    found = inspect_images(data.tree, ids, len(data.class_names), truth_folder=there, shown=shown)
    if truth is None:
        return Found(len(ids), faults + found)
    masked = [place for place, image_id in enumerate(ids) if (truth / f"{image_id}.png").is_file()]
    judged = 0 if labels is None else sum(place in labels for place in masked)
    faults += weighed(found, dict.fromkeys(CONTRADICTIONS, judged))
    if isinstance(truth, Path) and not options.split:  # else there may be masks of other lists' images
        faults += [*stray_masks(truth, data.tree, ids), *masks_elsewhere(truth, data.tree, ids)]
    return Found(len(ids), faults, len(masked))


def _shared(lists: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """Yield images that are trained on and scored."""
    trained = [split for split in lists if split.startswith("train") and "val" not in split]
    scored = [split for split in lists if split.startswith(("val", "test"))]
    for one, other in product(trained, scored):
        fewer, more = sorted((lists[one], lists[other]), key=len)
        for image_id in sorted(set(fewer).intersection(more)):
            text = f"{image_id}: is in {one} and in {other}; take it off one of the two"
            yield Fault("trained on and scored", image_id, text)


def _alike(ids: Sequence[str]) -> Iterator[Fault]:
    """Yield images that a disk of Windows or a Mac does not tell apart."""
    first: dict[str, str] = {}
    for place in repeated(image_id.casefold() for image_id in ids):
        image_id = ids[place]
        other = first.setdefault(image_id.casefold(), image_id)
        if other != image_id:
            text = f"{image_id}: differs from {other} by capital letters alone; rename one, elsewhere both are one file"
            yield Fault("names alike but for capital letters", image_id, text, note=True)


def _image_labels(data: DataSet) -> tuple[ImageLabels | None, list[Fault]]:
    """Return the labels that can be read; images without, but for those of a test list, and labels that do not fit."""
    if data.read is None:
        return None, []
    try:
        labels, found = data.read(data.ids)
    except DataError as error:  # of the file as a whole
        return None, [Fault("image labels", str(data.tree.root), str(error))]
    missing = {one.image_id for one in found if isinstance(one.error, NoLabelError)}
    needed = {
        image_id for split, ids in data.lists.items() if split[:4] != "test" for image_id in missing.intersection(ids)
    }
    faults: list[Fault] = []
    for image_id, fault in found if not data.told else ():
        if image_id not in missing:
            faults.append(Fault("image label", image_id, str(fault)))
        elif image_id in needed:
            faults.append(Fault("missing image label", image_id, str(fault)))
    return labels, faults


def _unseen(data: DataSet, labels: ImageLabels | None, scored: Sequence[str]) -> Iterator[Fault]:
    """Yield that no image shows any class, or the classes that none shows; a part of a data set may well lack some."""
    if labels is None or not labels.known:
        return
    counts = labels.counts()
    if not counts.any():
        text = f"{data.tree.root}: the image labels of {labels.known:,} images name no class; nothing can be learnt"
        yield Fault("no image shows any class", str(data.tree.root), f"{text}; write the classes into the image labels")
        return
    for index in np.flatnonzero(counts == 0):
        name = data.class_names[int(index) + 1]
        if name in scored:
            text = f"{name}: no image shows it, so nothing can be learnt of it; is it a class of these data?"
            yield Fault("class that no image shows", name, text, note=True)
