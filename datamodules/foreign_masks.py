"""Masks that others wrote as PNG, brought to our codes, and the folders DHR keeps them in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules.coco_ids import coco_table
from datamodules.errors import DataError
from datamodules.labels import IGNORED, Label, read_label


def read_foreign_mask(path: Path, num_classes: int, ignored: Sequence[int] = (), coco_ids: bool = False) -> Label:
    """Read a palette or grey PNG of another project.

    Args:
        path: of the mask.
        num_classes: background counted.
        ignored: codes that mean "ignore" there, beside 255.
        coco_ids: its codes are COCO's category ids 1…90; they become 1…80.

    Returns:
        uint8 (H, W): 0…C, and 255 where it is ignored.

    Raises:
        DataError: where the file is missing, unreadable or no index mask, or holds a code that is no class.
    """
    mask = read_label(path)
    table = coco_table() if coco_ids else np.arange(256, dtype=np.uint8)
    table[list(ignored)] = IGNORED
    codes = np.flatnonzero(np.bincount(mask.reshape(-1), minlength=256))
    unknown = codes[(table[codes] >= num_classes) & (table[codes] != IGNORED)]
    if unknown.size:
        known = f"those of {num_classes - 1} COCO categories" if coco_ids else f"0 to {num_classes - 1}"
        raise DataError(f"{path}: holds code {unknown[0]}, the data {known} and 255; is it an --ignore value?")
    return table[mask]


def dhr_folder(root: Path, dataset: str | None, method: str | None, domain: str | None) -> Path:
    """Find the masks of one method in DHR's `WSS/<dataset>/<method>/<domain>/<id>.png`.

    Args:
        root: the folder `WSS`.
        dataset: its folder, e.g. VOC2012; None takes the only one.
        method: its folder, e.g. RSEPM; None takes the only one.
        domain: its folder, e.g. train_aug; None takes the only one.

    Raises:
        DataError: where a folder is missing, or there are several to choose from.
    """
    folder = root
    for option, name in (("--dataset", dataset), ("--method", method), ("--domain", domain)):
        there = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        if name is None and len(there) == 1:
            name = there[0]
        if name is None or name not in there:
            fault = "no folders in it" if not there else f"no folder {name}" if name else "several folders"
            raise DataError(f"{folder}: {fault}; set {option} to one of those there ({', '.join(there) or 'none'})")
        folder = folder / name
    return folder
