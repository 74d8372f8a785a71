"""The size of an image by its header alone, whether a mask has it, and what is too large to be opened."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from datamodules.errors import DataError


def too_large(path: Path) -> str:
    """Return what to say of a picture that Pillow takes for a decompression bomb."""
    return f"{path}: has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels; cut it into smaller pictures"


def image_shape(path: Path) -> tuple[int, int]:
    """Return (H, W) of an image.

    Raises:
        DataError: where it is missing or too large, or its header cannot be read.
    """
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except FileNotFoundError:
        raise DataError(f"{path}: no such image; fetch it or take it off the list") from None
    except Image.DecompressionBombError:
        raise DataError(too_large(path)) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be decoded ({error}); fetch the image again") from None


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
