"""An image opened with its faults told in one line; its size by the header alone, and whether a mask has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from datamodules.errors import DataError
from datamodules.files.image_file import open_image


@contextmanager
def opened_image(path: Path) -> Iterator[Image.Image]:
    """Open an image whose pixels, if they are wanted, are decoded within the block.

    Raises:
        DataError: where it is missing or too large, or cannot be decoded.
    """
    try:
        with open_image(path) as image:
            yield image
    except FileNotFoundError:
        raise DataError(f"{path}: no such image; fetch it or take it off the list") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be decoded ({error}); fetch the image again") from None


def image_shape(path: Path) -> tuple[int, int]:
    """Return (H, W) of an image; raises DataError as `opened_image` does."""
    with opened_image(path) as image:
        return image.height, image.width


def check_size(path: Path, shape: tuple[int, ...], image: Path) -> None:
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
