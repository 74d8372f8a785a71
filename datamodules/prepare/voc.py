"""VOC 2012 and SBD put together: SegmentationClassAug and the list train_aug, the 10,582 images everybody trains on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.image_list import read_ids
from datamodules.files.labels import write_label
from datamodules.files.tree import Tree
from datamodules.prepare.preparing import disk_faults, list_text, write_whole
from datamodules.prepare.sbd import read_sbd_mask
from datamodules.prepare.tar_archive import open_tar
from datamodules.progress import with_progress

VOC_INSIDE = "VOCdevkit/VOC2012"
SBD_INSIDE = "benchmark_RELEASE/dataset"
SBD_PARTS = ("cls/", "train.txt", "val.txt")
"""All that is used of SBD: its images are VOC's."""

AUGMENTED = "SegmentationClassAug"

LARGEST = 16 * 2**30
"""Bytes of an archive when it is unpacked; VOC 2012 has 2 GB, SBD 2.5 GB."""


def unpack(archive: Path, inside: str, folder: Path, parts: tuple[str, ...] = ("",)) -> None:
    """Unpack the part of a tar archive below `inside` into a folder.

    Args:
        archive: tar, packed or not.
        inside: folder in the archive whose content is wanted.
        folder: where that content goes.
        parts: beginnings of the names, in that folder, of what is wanted.

    Raises:
        DataError: where the archive is damaged, lacks that folder, or holds links there, or the disk refuses.
    """
    unpacked = 0
    with open_tar(archive, LARGEST, "fetch it again") as opened, disk_faults(folder):
        for member in with_progress(opened, None, f"unpacking {archive.name}"):
            before, found, name = member.name.removeprefix("./").partition(f"{inside}/")
            if not found or before or not name.startswith(parts):
                continue
            if not (member.isdir() or member.isfile()) or member.issparse():
                fault = f"{member.name[:100]!r} is a link or of another odd kind"
                raise DataError(f"{archive}: {fault}; fetch it again from where it was published")
            member.name = name
            opened.extract(member, folder, filter="data")
            unpacked += member.isfile()
    if not unpacked:
        raise DataError(f"{archive}: holds no {inside}; is it the right archive?")


def augment(root: Path, sbd: Path, workers: int = 8) -> list[str]:
    """Write SegmentationClassAug, of VOC's masks where there are some and of SBD's else, and the list train_aug.

    Args:
        root: VOC's folder, with JPEGImages.
        sbd: SBD's folder `dataset`, with cls, train.txt and val.txt.
        workers: threads.

    Returns:
        The ids of train_aug, sorted: SBD's train and val and VOC's train, without VOC's val.

    Raises:
        DataError: where a list or a mask is missing or damaged, or the disk refuses.
    """
    tree = Tree(root)
    ours, val = tree.ids("train"), tree.ids("val")
    theirs = [image_id for name in ("train", "val") for image_id in read_ids(sbd / f"{name}.txt")]
    train_aug = sorted({*theirs, *ours} - set(val))
    target = root / AUGMENTED

    def write(image_id: str) -> None:
        own = root / "SegmentationClass" / f"{image_id}.png"
        if own.is_file():
            shutil.copyfile(own, target / own.name)
        else:
            write_label(target / own.name, read_sbd_mask(sbd / "cls" / f"{image_id}.mat"))

    with disk_faults(root), ThreadPoolExecutor(workers) as pool:
        target.mkdir(exist_ok=True)
        everything: Sequence[str] = [*train_aug, *val]
        for _ in with_progress(pool.map(write, everything), len(everything), f"making {AUGMENTED}"):
            pass
        write_whole(tree.list_file("train_aug"), list_text(train_aug))
    return train_aug
