"""A data set is looked over before hours are spent on it: its photographs, masks and scores.

Photographs are judged by their headers and by the end-of-image marker, which a file that was cut short lacks; only a
file without that marker is decoded. Labels are decoded, in threads, for their codes; of scores the head is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.labels import label_codes, read_label
from datamodules.processes import processes
from datamodules.progress import with_progress
from datamodules.scores import inspect_scores
from datamodules.tree import Tree

END_OF_IMAGE = b"\xff\xd9"
TAIL = 64
"""Bytes at the end of a JPEG in which the marker is looked for: some cameras write a little after it."""


def inspect_images(
    tree: Tree,
    ids: Sequence[str],
    num_classes: int,
    label_folder: Path | None = None,
    truth_folder: Path | None = None,
    score_folder: Path | None = None,
) -> list[Fault]:
    """Look over the photographs of a list, their masks and their scores.

    Args:
        tree: where the photographs lie.
        ids: the images.
        num_classes: background counted; codes from it to the biased one are faults.
        label_folder: must hold a label of every image.
        truth_folder: what masks it holds must fit.
        score_folder: must hold scores of every image.

    Returns:
        All faults, in the order of the images.

    Raises:
        DataError: a folder is missing.
    """
    if label_folder is not None and not label_folder.is_dir():
        raise DataError(f"{label_folder}: no such label folder; make the labels first or set data.labels")
    if score_folder is not None and not score_folder.is_dir():
        raise DataError(f"{score_folder}: no such score folder; run the stage that makes scores or set data.scores")

    def inspect(image_id: str) -> list[Fault]:
        return list(_inspect(tree, image_id, num_classes, label_folder, truth_folder, score_folder))

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 16)) as pool:
        inspected: Iterable[list[Fault]] = pool.map(inspect, ids)
        if processes()[0] == 0:
            inspected = with_progress(inspected, len(ids), "checking the data")
        return [fault for faults in inspected for fault in faults]


def _inspect(
    tree: Tree,
    image_id: str,
    num_classes: int,
    label_folder: Path | None,
    truth_folder: Path | None,
    score_folder: Path | None,
) -> Iterator[Fault]:
    size = photograph_size(tree.photograph(image_id))
    if isinstance(size, Fault):
        yield size
        return
    if label_folder is not None:
        yield from inspect_mask(label_folder / f"{image_id}.png", num_classes, size)
    if score_folder is not None:
        yield from _inspect_scores(score_folder / f"{image_id}.npz", size, num_classes)
    if truth_folder is not None and (path := truth_folder / f"{image_id}.png").is_file():
        yield from inspect_mask(path, num_classes, size)


def photograph_size(path: Path) -> tuple[int, int] | Fault:
    """Return (width, height) of a photograph, or what is wrong with it."""
    try:
        with path.open("rb") as file, Image.open(file) as image:
            size = image.size
            file.seek(max(file.seek(0, os.SEEK_END) - TAIL, 0))
            if END_OF_IMAGE not in file.read():
                image.load()
            return size
    except FileNotFoundError:
        return Fault("missing photograph", path.name, f"{path}: no such photograph; fetch it or take it off the list")
    except (OSError, SyntaxError) as error:
        text = f"{path}: cannot be decoded ({error}); fetch the photograph again"
        return Fault("damaged photograph", path.name, text)


def inspect_mask(
    path: Path, num_classes: int, size: tuple[int, int] | None = None, final: bool = False
) -> Iterator[Fault]:
    """Yield what is wrong with a mask.

    Args:
        path: of the mask.
        num_classes: background counted.
        size: (width, height) of its photograph; None checks no size.
        final: every pixel must have a class: biased and ignored ones are faults too.
    """
    try:
        label = read_label(path, num_classes)
    except DataError as error:
        yield Fault("unreadable mask" if path.is_file() else "missing mask", path.name, str(error))
        return
    if size is not None and label.shape != (size[1], size[0]):
        found = f"{label.shape[1]}×{label.shape[0]} pixels, its photograph {size[0]}×{size[1]}"
        yield Fault("size", path.name, f"{path}: {found}; make the mask at that size")
    codes = label_codes(num_classes)
    present = np.flatnonzero(np.bincount(label.reshape(-1), minlength=256))
    beyond = present[(present >= num_classes) & ((present < codes.biased) | final)]
    if beyond.size:
        known = f"0 to {num_classes - 1}{'' if final else f', {codes.biased} and {codes.ignored}'}"
        text = f"{path}: holds code {beyond[0]}, the data {known}; map the codes or name the classes"
        yield Fault("codes", path.name, text)


def _inspect_scores(path: Path, size: tuple[int, int], num_classes: int) -> Iterator[Fault]:
    try:
        class_ids, shape = inspect_scores(path)
    except DataError as error:
        yield Fault("unreadable scores", path.name, str(error))
        return
    wanted = (len(class_ids), size[1], size[0])
    if shape != wanted:
        found = f"scores of shape {shape}, its photograph and {len(class_ids)} classes want {wanted}"
        yield Fault("size", path.name, f"{path}: {found}; run the stage that makes it again")
    beyond = class_ids[(class_ids < 1) | (class_ids >= num_classes)]
    if beyond.size:
        text = f"{path}: scores of class {beyond[0]}, the data has 1 to {num_classes - 1}; map the ids"
        yield Fault("codes", path.name, text)


def check_batch(images: int, batch_size: int) -> None:
    """Raise DataError where a process has fewer images than a batch: it would take no step at all."""
    world = processes()[1]
    if batch_size > images // world:
        each = f"{images} images" if world == 1 else f"{images} images among {world} processes"
        most = images // world
        raise DataError(f"a batch of {batch_size} is more than {each} give; set data.batch_size to {most} or less")
