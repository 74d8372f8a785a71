"""Label files: 8-bit indexed PNG at the image's size with VOC's palette, and the codes 254 and 255."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from datamodules.errors import DataError
from datamodules.whole_file import whole_file

BIASED = 254
"""Code of a biased pixel, the paper's −1 (Eq. 5)."""

IGNORED = 255
"""Code of a pixel that neither trains nor scores."""

Label = NDArray[np.uint8]


@lru_cache(maxsize=1)
def voc_palette() -> tuple[int, ...]:
    """Return VOC's 256 colours as 768 numbers: an index's bits spread over the channels from the high bit down."""
    index = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.int64)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((index >> (3 * bit + channel)) & 1) << (7 - bit)
    colours[BIASED] = (255, 0, 255)  # a colour that no class near it wears, so that removed pixels stand out
    return tuple(int(value) for value in colours.reshape(-1))


def read_label(path: Path) -> Label:
    """Read an indexed or grey PNG as class indices.

    Returns:
        uint8 array of shape (H, W).

    Raises:
        DataError: where the file is missing, unreadable or not a single-channel 8-bit image.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ("P", "L"):
                raise DataError(
                    f"{path}: a label is an 8-bit single-channel PNG, "
                    f"this one has mode {image.mode}; save class indices, not colours"
                )
            return np.array(image, dtype=np.uint8)
    except FileNotFoundError:
        raise DataError(f"{path}: no such label; is this the right label folder?") from None
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"{path}: cannot be read as a PNG ({error}); write it again") from None


def label_image(label: Label) -> Image.Image:
    """Return class indices of shape (H, W) as an indexed picture with the VOC palette."""
    image = Image.fromarray(np.ascontiguousarray(label, dtype=np.uint8)).convert("P")
    image.putpalette(voc_palette())
    return image


def write_label(path: Path, label: Label) -> None:
    """Write class indices of shape (H, W) as an indexed PNG with the VOC palette, whole or not at all."""
    with whole_file(path) as partial:
        label_image(label).save(partial, format="PNG")
