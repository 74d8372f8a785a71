"""An image opened with its faults told in one line; its size by the header alone, and whether a mask has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from datamodules.errors import DataError
from datamodules.files.image_file import open_image
from datamodules.files.shards.place import File

DEEP = {"I;16": "grey of 16 bits", "I": "grey of 16 or 32 bits", "F": "grey of floating-point numbers"}
"""Modes that Pillow cuts off at 255 when it makes RGB of them, so that an image turns white or black → in words."""


def not_eight_bits(path: File, image: Image.Image) -> str | None:
    """Return what to say of an image whose brightness is no number of 0…255; None of others.

    How such a range is to be shown (a microscope's 12 bits within 16, metres of depth) only its owner knows.
    """
    words = DEEP.get("I;16" if image.mode.startswith("I;16") else image.mode)
    return words and f"{path}: {words}, which has no white; scale it to 8 bits as it should be seen, and save that"


def several_pages(path: File, image: Image.Image) -> str | None:
    """Return what to say of an image with pages or a film's pictures, of which the first alone is read; None of others.

    A camera's second picture in a JPEG (MPO) is a preview or another eye's view of the same.
    """
    pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    return f"{path}: holds {pages} pictures; save the one that is meant" if pages > 1 else None


@contextmanager
def opened_image(path: File) -> Iterator[Image.Image]:
    """Open an image whose pixels, if they are wanted, are decoded within the block.

    Raises:
        DataError: where it is missing, too large, not of 8 bits or of several pages, or cannot be decoded.
    """
    try:
        with open_image(path) as image:
            if odd := not_eight_bits(path, image) or several_pages(path, image):
                raise DataError(odd)
            yield image
    except FileNotFoundError:
        raise DataError(f"{path}: no such image; fetch it or take it off the list") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be decoded ({error}); fetch the image again") from None


def image_shape(path: File) -> tuple[int, int]:
    """Return (H, W) of an image; raises DataError as `opened_image` does."""
    with opened_image(path) as image:
        return image.height, image.width


def check_size(path: File, shape: tuple[int, ...], image: File) -> None:
    """Check that a mask has the size of its image.

    Args:
        path: of the mask, to be named.
        shape: (H, W) of the mask.
        image: path of the image.

    Raises:
        DataError: where the sizes differ, or the image cannot be read.
    """
    height, width = image_shape(image)
    if shape != (height, width):
        sizes = f"{shape[1]}×{shape[0]} pixels, its image {width}×{height}"
        raise DataError(f"{path}: {sizes}; make the mask at that size")
