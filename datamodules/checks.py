"""A data set is looked over before hours are spent on it: one line names the first fault, its remedy and how many more.

Photographs are judged by their headers and by the end-of-image marker, which a file that was cut short lacks; only a
file without that marker is decoded. Labels are decoded, in threads, for their codes; of scores the head is read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from datamodules.errors import DataError
from datamodules.labels import BIASED, read_label
from datamodules.samplers import processes
from datamodules.scores import inspect_scores
from datamodules.tree import Tree

BAR_FROM = 1000
"""So many images take long enough for a progress bar."""

END_OF_IMAGE = b"\xff\xd9"
TAIL = 64
"""Bytes at the end of a JPEG in which the marker is looked for: some cameras write a little after it."""


class Fault(NamedTuple):
    """What is wrong with one image; faults of a kind are counted."""

    kind: str
    text: str


def check_images(
    tree: Tree,
    ids: Sequence[str],
    num_classes: int,
    label_folder: Path | None = None,
    truth_folder: Path | None = None,
    score_folder: Path | None = None,
) -> None:
    """Look over the photographs of a list, their masks and their scores.

    Args:
        tree: where the photographs lie.
        ids: the images.
        num_classes: background counted; codes from it to 253 are faults.
        label_folder: must hold a label of every image.
        truth_folder: what masks it holds must fit.
        score_folder: must hold scores of every image.

    Raises:
        DataError: a photograph is missing or damaged; a mask or a score file is missing, damaged, of another size or
            beyond the classes.
    """
    if label_folder is not None and not label_folder.is_dir():
        raise DataError(f"{label_folder}: no such label folder; make the labels first or set data.labels")
    if score_folder is not None and not score_folder.is_dir():
        raise DataError(f"{score_folder}: no such score folder; run the stage that makes scores or set data.scores")

    def inspect(image_id: str) -> Fault | None:
        return _inspect(tree, image_id, num_classes, label_folder, truth_folder, score_folder)

    console = Console(stderr=True)
    bar = Progress(console=console, transient=True)
    bar.disable = len(ids) < BAR_FROM or processes()[0] > 0 or not console.is_terminal
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 16)) as pool, bar:
        inspected = bar.track(pool.map(inspect, ids), len(ids), description="Checking the data")
        found = [fault for fault in inspected if fault]
    if found:
        more = sum(fault.kind == found[0].kind for fault in found) - 1
        raise DataError(found[0].text + (f" ({more} more like it)" if more else ""))


def _inspect(
    tree: Tree,
    image_id: str,
    num_classes: int,
    label_folder: Path | None,
    truth_folder: Path | None,
    score_folder: Path | None,
) -> Fault | None:
    size = photograph_size(tree.photograph(image_id))
    if isinstance(size, Fault):
        return size
    if label_folder is not None and (fault := _inspect_mask(label_folder / f"{image_id}.png", size, num_classes)):
        return fault
    if score_folder is not None and (fault := _inspect_scores(score_folder / f"{image_id}.npz", size, num_classes)):
        return fault
    if truth_folder is None or not (path := truth_folder / f"{image_id}.png").is_file():
        return None
    return _inspect_mask(path, size, num_classes)


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
        return Fault("missing photograph", f"{path}: no such photograph; fetch it or take it off the list")
    except (OSError, SyntaxError) as error:
        return Fault("damaged photograph", f"{path}: cannot be decoded ({error}); fetch the photograph again")


def _inspect_mask(path: Path, size: tuple[int, int], num_classes: int) -> Fault | None:
    try:
        label = read_label(path)
    except DataError as error:
        return Fault("unreadable mask", str(error))
    if label.shape != (size[1], size[0]):
        shape = f"{label.shape[1]}×{label.shape[0]}"
        return Fault("size", f"{path}: {shape} pixels, its photograph {size[0]}×{size[1]}; make the mask at that size")
    present = np.flatnonzero(np.bincount(label.reshape(-1), minlength=256))
    beyond = present[(present >= num_classes) & (present < BIASED)]
    if beyond.size:
        known = f"0 to {num_classes - 1}, 254 and 255"
        return Fault("codes", f"{path}: holds code {beyond[0]}, the data {known}; map the codes or name the classes")
    return None


def _inspect_scores(path: Path, size: tuple[int, int], num_classes: int) -> Fault | None:
    try:
        class_ids, shape = inspect_scores(path)
    except DataError as error:
        return Fault("unreadable scores", str(error))
    wanted = (len(class_ids), size[1], size[0])
    if shape != wanted:
        found = f"scores of shape {shape}, its photograph and {len(class_ids)} classes want {wanted}"
        return Fault("size", f"{path}: {found}; run the stage that makes it again")
    beyond = class_ids[(class_ids < 1) | (class_ids >= num_classes)]
    if beyond.size:
        return Fault("codes", f"{path}: scores of class {beyond[0]}, the data has 1 to {num_classes - 1}; map the ids")
    return None


def check_batch(images: int, batch_size: int) -> None:
    """Raise DataError where a process has fewer images than a batch: it would take no step at all."""
    world = processes()[1]
    if batch_size > images // world:
        each = f"{images} images" if world == 1 else f"{images} images among {world} processes"
        most = images // world
        raise DataError(f"a batch of {batch_size} is more than {each} give; set data.batch_size to {most} or less")
