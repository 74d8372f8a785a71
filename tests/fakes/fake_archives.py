"""Tiny archives with the folders, names and formats of VOC 2012 trainval, SBD and VOC 2012 test."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from datamodules.files.labels import read_label
from tests.fakes.fake_tree import make_voc_tree

TEST_IDS = ("2008_000006", "2008_000011")


def make_archives(folder: Path, images: int = 8) -> tuple[Path, Path, Path]:
    """Write the three archives: trainval, SBD and test.

    VOC's train are the first quarter of the images and its val the last; both have VOC masks. SBD has masks of every
    image but the first, its lists cut through VOC's: train has the odd ones, val the even ones.
    """
    voc, sbd = folder / "tree", folder / "sbd"
    ids = make_voc_tree(voc, images)
    train, val = ids[: images // 4], ids[-images // 4 :]
    sets = voc / "ImageSets" / "Segmentation"
    for path in sets.iterdir():
        path.unlink()
    for name, members in {"train": train, "val": val, "trainval": [*train, *val]}.items():
        (sets / f"{name}.txt").write_text("".join(f"{image_id}\n" for image_id in members))
    (sbd / "cls").mkdir(parents=True)
    for image_id in ids[1:]:
        label = read_label(voc / "SegmentationClassAug" / f"{image_id}.png")
        savemat(
            sbd / "cls" / f"{image_id}.mat", {"GTcls": {"Segmentation": label, "CategoriesPresent": np.unique(label)}}
        )
    (sbd / "train.txt").write_text("".join(f"{image_id}\n" for image_id in ids[1::2]))
    (sbd / "val.txt").write_text("".join(f"{image_id}\n" for image_id in ids[2::2]))
    (sbd / "img").mkdir()
    (sbd / "img" / f"{ids[1]}.jpg").write_bytes(b"VOC's")
    for image_id in ids[images // 4 : -images // 4]:
        (voc / "SegmentationClass" / f"{image_id}.png").unlink()
    for path in (voc / "SegmentationClassAug").iterdir():
        path.unlink()
    (voc / "SegmentationClassAug").rmdir()
    test = folder / "test"
    (test / "JPEGImages").mkdir(parents=True)
    (test / "ImageSets" / "Segmentation").mkdir(parents=True)
    for image_id in TEST_IDS:
        Image.new("RGB", (48, 40), (90, 120, 60)).save(test / "JPEGImages" / f"{image_id}.jpg")
    (test / "ImageSets/Segmentation/test.txt").write_text("".join(f"{image_id}\n" for image_id in TEST_IDS))
    return (
        _pack(folder / "VOCtrainval_11-May-2012.tar", "w", voc, "VOCdevkit/VOC2012"),
        _pack(folder / "benchmark.tgz", "w:gz", sbd, "benchmark_RELEASE/dataset"),
        _pack(folder / "VOC2012test.tar", "w", test, "VOCdevkit/VOC2012"),
    )


def _pack(path: Path, mode: str, folder: Path, inside: str) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        archive.add(folder, inside)
    return path


def md5(path: Path) -> str:
    """Return a file's md5."""
    return hashlib.md5(path.read_bytes()).hexdigest()
