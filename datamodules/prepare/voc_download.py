"""PASCAL VOC 2012 and the SBD masks from their own addresses, into one folder that appears whole."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.tree import Tree
from datamodules.prepare.download import fetch
from datamodules.prepare.preparing import disk_faults
from datamodules.prepare.voc import SBD_INSIDE, SBD_PARTS, VOC_INSIDE, augment, unpack


@dataclass(frozen=True)
class Archive:
    """One of the archives.

    Attributes:
        address: where it is served.
        md5: of the archive, in hexadecimal digits.
    """

    address: str
    md5: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.address.rsplit("/", 1)[-1]


VOC_ARCHIVE = Archive(
    "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd"
)
SBD_ARCHIVE = Archive(
    "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/benchmark.tgz",
    "82b4d87ceb2ed10f6038a1cba92111cb",
)
"""Addresses and sums as torchvision documents them (torchvision/datasets/voc.py and sbd.py)."""


def download_voc(
    root: Path, voc: Archive, sbd: Archive, test: Path | None = None, downloads: Path | None = None, keep: bool = False
) -> list[str]:
    """Fetch both archives, unpack them and put train_aug together; the root appears once all of it is there.

    Args:
        root: VOC's folder, that of JPEGImages; must not be there yet.
        voc: VOC 2012 trainval.
        sbd: SBD, of which masks and lists are used.
        test: VOC2012test.tar, which the evaluation server gives to those who register; its images and list join.
        downloads: folder for the archives; None takes `<root>.downloads`.
        keep: leave the archives there.

    Returns:
        The ids of train_aug.

    Raises:
        DataError: where the root is there, a download or an archive is at fault, or the disk refuses.
    """
    if root.exists():
        raise DataError(f"{root}: is there already; remove it first, or name another folder")
    if test is not None and not test.is_file():
        raise DataError(f"{test}: no such archive; fetch VOC2012test.tar from the evaluation server, or leave it away")
    folder = downloads or root.with_name(f"{root.name}.downloads")
    for archive in (voc, sbd):
        fetch(archive.address, folder / archive.name, archive.md5)
    partial, masks = root.with_name(f"{root.name}.part"), folder / "sbd"
    with disk_faults(root.parent):
        for place in (partial, masks):
            shutil.rmtree(place, ignore_errors=True)
        unpack(folder / voc.name, VOC_INSIDE, partial)
        unpack(folder / sbd.name, SBD_INSIDE, masks, SBD_PARTS)
        if test is not None:
            unpack(test, VOC_INSIDE, partial)
        ids = augment(partial, masks)
        _check(partial, ids)
        shutil.rmtree(masks)
        partial.rename(root)
        if not keep:
            for archive in (voc, sbd):
                (folder / archive.name).unlink()
            if downloads is None:
                folder.rmdir()
    return ids


def _check(root: Path, ids: list[str]) -> None:
    """Refuse a train_aug whose images are not all there."""
    tree = Tree(root)
    missing = [image_id for image_id in ids if not tree.image(image_id).is_file()]
    if missing:
        fault = f"{len(missing)} images of train_aug are missing, {missing[0]} first"
        raise DataError(f"{fault}; name the archives of VOC 2012 and SBD")
