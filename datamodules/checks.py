"""A data set is looked over before hours are spent on it: its images, masks and scores.

Images are judged by their headers and by the marker at their end, which a file that was cut short lacks; only a
file without that marker is decoded. Labels are decoded, in threads, for their codes; of scores the head is read.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import ExifTags, Image

from datamodules.bounded_map import bounded_map
from datamodules.contradictions import Against, Shown
from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.class_names import CLASSES
from datamodules.files.image_file import open_image
from datamodules.files.image_size import not_eight_bits, several_pages
from datamodules.files.labels import label_codes, read_label
from datamodules.files.scores import inspect_scores
from datamodules.files.shards.place import File, Folder
from datamodules.files.shards.store import StoreError
from datamodules.files.tree import Tree
from datamodules.processes import cores, processes
from datamodules.progress import with_progress

ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
"""Format → the marker at the end of its files."""
TAIL = 64
"""Bytes at the end of a file in which the marker is looked for: some cameras write a little after it."""
TURNED = range(2, 9)
"""EXIF orientations of images that are not stored as they are seen; 1 is upright, 0 says nothing."""


def inspect_images(
    tree: Tree,
    ids: Sequence[str],
    num_classes: int,
    *,
    label_folder: Folder | None = None,
    truth_folder: Folder | None = None,
    score_folder: Folder | None = None,
    feature_folder: Folder | None = None,
    shown: Shown | None = None,
) -> list[Fault]:
    """Look over the images of a list, their masks and their scores.

    Args:
        tree: where the images lie.
        ids: the images.
        num_classes: background counted; other codes are faults, but for biased and ignored pixels of labels and ignored
            ones of truth.
        label_folder: must hold a label of every image.
        truth_folder: what masks it holds must fit.
        score_folder: must hold scores of every image.
        feature_folder: must be there; its files are looked at when they are read.
        shown: what the images show, by their places in the list; masks and scores are held against it. None holds them
            against nothing.

    Returns:
        All faults, in the order of the images.

    Raises:
        DataError: a folder is missing.
    """
    for folder, lacking in (
        (label_folder, "no such label folder; make the labels first or set data.label_folder"),
        (score_folder, "no such score folder; run the stage that makes scores or set data.score_folder"),
        (feature_folder, "no such feature folder; make the centroids again with features=true"),
    ):
        if folder is not None and not folder.is_dir():
            raise DataError(f"{folder}: {lacking}")

    upright = (tree.root / CLASSES).is_file()  # the masks of VOC and COCO fit the images as they are stored

    def inspect(item: tuple[int, str]) -> list[Fault]:
        return list(_inspect(tree, *item, upright, num_classes, label_folder, truth_folder, score_folder, shown))

    with ThreadPoolExecutor(min(cores(), 16)) as pool:
        inspected: Iterable[list[Fault]] = bounded_map(pool, inspect, enumerate(ids))
        if processes()[0] == 0:
            inspected = with_progress(inspected, len(ids), "checking the data")
        return [fault for faults in inspected for fault in faults]


def _inspect(
    tree: Tree,
    place: int,
    image_id: str,
    upright: bool,
    num_classes: int,
    label_folder: Folder | None,
    truth_folder: Folder | None,
    score_folder: Folder | None,
    shown: Shown | None,
) -> Iterator[Fault]:
    size = image_size_of(tree.image(image_id), upright)
    if isinstance(size, Fault):
        yield size
        return
    ignored = label_codes(num_classes).ignored
    if label_folder is not None:
        against = shown.against(place, ignored) if shown else None
        yield from inspect_mask(label_folder / f"{image_id}.png", num_classes, size, against=against)
    if score_folder is not None:
        against = shown.against(place, None) if shown else None
        yield from _inspect_scores(score_folder / f"{image_id}.npz", size, num_classes, against)
    if truth_folder is not None and (path := truth_folder / f"{image_id}.png").is_file():
        against = shown.against(place, ignored, complete=True) if shown else None
        yield from inspect_mask(path, num_classes, size, biased=False, against=against)


def image_size_of(path: File, upright: bool = False) -> tuple[int, int] | Fault:
    """Return (width, height) of an image, or what is wrong with it.

    Args:
        path: of the image.
        upright: one that its camera stored on its side is at fault, for no stage turns it.
    """
    try:
        with path.open("rb") as file, open_image(path, file) as image:
            size = image.size
            if odd := not_eight_bits(path, image):
                return Fault("image not of 8 bits", path.name, odd)
            if odd := several_pages(path, image):
                return Fault("image of several pages", path.name, odd)
            file.seek(max(file.seek(0, os.SEEK_END) - TAIL, 0))
            end = ENDS.get(image.format or "")
            if end is None or end not in file.read():
                image.load()
            if upright and (turned := _orientation(image)) in TURNED:
                text = f"{path}: turned by its camera (EXIF orientation {turned}); save it upright"
                return Fault("turned image", path.name, text)
            return size
    except FileNotFoundError:
        return Fault("missing image", path.name, f"{path}: no such image; fetch it or take it off the list")
    except StoreError as error:
        return Fault("broken shard", path.name, str(error))
    except DataError as error:
        return Fault("large image", path.name, str(error))
    except OSError as error:
        text = f"{path}: cannot be decoded ({error}); fetch the image again"
        return Fault("damaged image", path.name, text)


def _orientation(image: Image.Image) -> int | None:
    """Return what the camera says of how it was held; None where it says nothing, or nothing that can be read."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except (SyntaxError, ValueError, struct.error):
        return None


def inspect_mask(
    path: File,
    num_classes: int,
    size: tuple[int, int] | None = None,
    *,
    biased: bool = True,
    ignored: bool = True,
    against: Against | None = None,
) -> Iterator[Fault]:
    """Yield what is wrong with a mask.

    Args:
        path: of the mask.
        num_classes: background counted.
        size: (width, height) of its image; None checks no size.
        biased: pixels may be biased, as they may in labels but neither in truth nor in what a server scores.
        ignored: pixels may be ignored, as they may in labels and in truth.
        against: holds its codes against what its image shows.
    """
    try:
        label = read_label(path, num_classes)
    except DataError as error:
        kind = "unreadable mask" if path.is_file() else "missing mask"
        yield Fault("broken shard" if isinstance(error, StoreError) else kind, path.name, str(error))
        return
    codes = label_codes(num_classes)
    marks = [code for code, allowed in ((codes.biased, biased), (codes.ignored, ignored)) if allowed]
    present = np.flatnonzero(np.bincount(label.reshape(-1)))
    beyond = present[(present >= num_classes) & ~np.isin(present, marks)]
    fits = size is None or label.shape == (size[1], size[0])
    if size is not None and not fits:
        found = f"{label.shape[1]}×{label.shape[0]} pixels, its image {size[0]}×{size[1]}"
        yield Fault("size", path.name, f"{path}: {found}; make the mask at that size")
    if beyond.size:
        known = " and ".join(", ".join([f"0 to {num_classes - 1}", *map(str, marks)]).rsplit(", ", 1))
        text = f"{path}: holds code {beyond[0]}, the data {known}; map the codes or name the classes"
        yield Fault("codes", path.name, text)
    elif fits and against is not None:  # another image's mask, or another data set's, would contradict in any case
        yield from against(path, present)


def _inspect_scores(path: File, size: tuple[int, int], num_classes: int, against: Against | None) -> Iterator[Fault]:
    try:
        class_ids, shape = inspect_scores(path)
    except DataError as error:
        yield Fault("unreadable scores", path.name, str(error))
        return
    wanted = (len(class_ids), size[1], size[0])
    if shape != wanted:
        found = f"scores of shape {shape}, its image and {len(class_ids)} classes want {wanted}"
        yield Fault("size", path.name, f"{path}: {found}; run the stage that makes it again")
    beyond = class_ids[(class_ids < 1) | (class_ids >= num_classes)]
    if beyond.size:
        text = f"{path}: scores of class {beyond[0]}, the data has 1 to {num_classes - 1}; map the ids"
        yield Fault("codes", path.name, text)
    yield from against(path, class_ids) if against else ()


def check_batch(images: int, batch_size: int) -> None:
    """Raise DataError where there are fewer images than a batch of all processes: there would be no step at all."""
    if batch_size > images:
        few = f"a batch of {batch_size} is more than {'1 image gives' if images == 1 else f'{images} images give'}"
        alone = "add images, or set data.batch_size to 1 where no batch norm learns"
        remedy = f"set data.batch_size to {images} or less" if images > 1 else alone
        raise DataError(f"{few}; {remedy}")
