"""Label files: indexed PNG at the image's size with VOC's palette, and the codes 254 and 255.

Where there are more than 253 foreground classes, labels have 16 bits, no palette, and the codes 65534 and 65535.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.image_file import open_image
from datamodules.files.shards.place import File
from datamodules.files.whole_file import whole_file

BIASED = 254
"""Code of a biased pixel, the paper's −1 (Eq. 5), in labels of 8 bits."""

IGNORED = 255
"""Code of a pixel that neither trains nor scores, in labels of 8 bits."""


class Codes(NamedTuple):
    """The codes beside the classes.

    Attributes:
        biased: of a biased pixel.
        ignored: of a pixel that neither trains nor scores.
        bits: of the labels that hold them.
    """

    biased: int
    ignored: int
    bits: int


EIGHT_BIT = Codes(BIASED, IGNORED, 8)
SIXTEEN_BIT = Codes(65534, 65535, 16)

STRETCHED = {"1": 1, "L;2": 2, "L;4": 4}
"""Raw modes of grey PNGs whose numbers Pillow stretches to 0…255, so that class 1 becomes 255, 85 or 17 → bits."""

Label = NDArray[np.unsignedinteger[Any]]
"""Class indices (H, W): uint8, or uint16 where the classes are too many."""


def label_codes(num_classes: int) -> Codes:
    """Return the codes of a data set's labels by its number of classes, background counted."""
    return EIGHT_BIT if num_classes <= BIASED else SIXTEEN_BIT


def codes_in(label: Label) -> Codes:
    """Return the codes of a label by its type."""
    return SIXTEEN_BIT if label.dtype == np.uint16 else EIGHT_BIT


def as_label(codes: NDArray[np.integer[Any]], num_classes: int) -> Label:
    """Return class indices (H, W) of any integers as a label of the data's type."""
    return codes.astype(np.uint8 if label_codes(num_classes).bits == 8 else np.uint16)


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


def read_label(path: File, num_classes: int | None = None) -> Label:
    """Read an indexed or grey PNG as class indices.

    Args:
        path: of the PNG.
        num_classes: of the data, background counted: its labels' bits are wanted; None takes both.

    Returns:
        uint8 or uint16 array of shape (H, W).

    Raises:
        DataError: where the file is missing, unreadable, too large, not a single-channel image, not of the data's bits,
            or grey of fewer than 8.
    """
    try:
        with open_image(path) as image:
            if image.format != "PNG":
                raise DataError(f"{path}: holds {image.format}, not PNG, whatever it is called; save it as PNG")
            stored = [tile.args for tile in image.tile]
            if few := next((bits for mode, bits in STRETCHED.items() if mode in stored), 0):
                fault = f"grey of {few} bit{'s' * (few > 1)}, which is read with {255 // (2**few - 1)} for 1"
                raise DataError(f"{path}: {fault}; save it with 8 bits, or indexed")
            bits = {"P": 8, "L": 8, "I;16": 16}.get(image.mode)
            wanted = label_codes(2 if num_classes is None else num_classes)
            if bits is None or (num_classes is not None and bits != wanted.bits):
                form = f"{'an 8' if wanted.bits == 8 else 'a 16'}-bit single-channel PNG"
                if bits is None:
                    odd = f"mode {image.mode}; save class indices, not colours"
                else:
                    odd = f"{bits} bits; save it with {wanted.bits}"
                raise DataError(f"{path}: a label of these data is {form}, this one has {odd}")
            return np.array(image, dtype=np.uint8 if bits == 8 else np.uint16)
    except FileNotFoundError:
        raise DataError(f"{path}: no such label; is this the right label folder?") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read as a PNG ({error}); write it again") from None


def label_image(label: NDArray[np.integer[Any]]) -> Image.Image:
    """Return class indices (H, W) as an indexed picture with the VOC palette; uint16 as a grey one of 16 bits."""
    if label.dtype == np.uint16:
        return Image.fromarray(np.ascontiguousarray(label))
    image = Image.fromarray(np.ascontiguousarray(label, dtype=np.uint8)).convert("P")
    image.putpalette(voc_palette())
    return image


def write_label(path: Path, label: NDArray[np.integer[Any]]) -> None:
    """Write class indices (H, W) as `label_image` shows them, whole or not at all."""
    with whole_file(path) as partial:
        label_image(label).save(partial, format="PNG")
