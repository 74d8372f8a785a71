"""Masks laid over their images, each class with its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from datamodules.datasets.image_files import find_images, read_upright
from datamodules.errors import DataError
from datamodules.files.drawing import blend, shown, with_names
from datamodules.files.labels import read_label
from datamodules.files.whole_file import whole_file


def write_overlays(images: Path, masks: Path, folder: Path, class_names: Sequence[str]) -> int:
    """Write an overlay of each image; returns how many.

    Args:
        images: one, or a folder with sub-folders.
        masks: folder of ``<id>.png``, by the same ids.
        folder: to write ``<id>.jpg`` to.
        class_names: background first.

    Raises:
        DataError: where a mask is missing, or has another size than its image.
    """
    found = find_images(images)
    for image_id, path in found.items():
        mask = read_label(masks / f"{image_id}.png", len(class_names))
        pixels = np.ascontiguousarray(read_upright(path).permute(1, 2, 0).numpy())
        if pixels.shape[:2] != mask.shape:
            raise DataError(f"{masks / image_id}.png: another size than {path}; predict it again")
        picture = with_names(blend(pixels, shown(mask)), mask, class_names)
        with whole_file(folder / f"{image_id}.jpg") as partial:
            Image.fromarray(picture).save(partial, "JPEG", quality=90)
    return len(found)
