"""Masks that others wrote as PNG, brought to our codes, and the folders DHR keeps them in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules.errors import DataError
from datamodules.files.coco_ids import coco_table
from datamodules.files.labels import Label, label_codes, read_label


def read_foreign_mask(path: Path, num_classes: int, ignored: Sequence[int] = (), coco_ids: bool = False) -> Label:
    """Read a palette or grey PNG of another project.

    Args:
        path: of the mask.
        num_classes: background counted.
        ignored: codes that mean "ignore" there, beside 255.
        coco_ids: its codes are COCO's category ids 1…90; they become 1…80.

    Returns:
        uint8 (H, W): 0…C, and 255 where it is ignored; uint16 and 65535 where the classes want 16 bits.

    Raises:
        DataError: where the file is missing, unreadable or no index mask, or holds a code that is no class.
    """
    codes = label_codes(num_classes)
    if beyond := [code for code in ignored if code > codes.ignored]:
        raise DataError(f"--ignore {beyond[0]}: masks of {num_classes} classes hold no such code; leave it away")
    if coco_ids and codes.bits != 8:
        raise DataError(f"--coco-ids: COCO has 80 classes, the data {num_classes - 1}; leave it away")
    mask = read_label(path, num_classes)
    table: Label = coco_table() if coco_ids else np.arange(codes.ignored + 1).astype(mask.dtype)
    table[list(ignored)] = codes.ignored
    there = np.flatnonzero(np.bincount(mask.reshape(-1)))
    unknown = there[(table[there] >= num_classes) & (table[there] != codes.ignored)]
    if unknown.size:
        known = f"those of {num_classes - 1} COCO categories" if coco_ids else f"0 to {num_classes - 1}"
        known += f" and {codes.ignored}"
        raise DataError(f"{path}: holds code {unknown[0]}, the data {known}; is it an --ignore value?")
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
