"""Image files opened within bounds: formats that are known, sizes that fit into memory, one kind of fault."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from PIL import Image, ImageFile

from datamodules.errors import DataError
from datamodules.files.shards.place import File, opened_by_libraries

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
"""Formats that are read, whatever the suffix (MPO as JPEG); Pillow would start other programs for some of the rest."""

LARGEST = 89_478_485
"""Pixels; a tensor of so many takes 256 MiB. Pillow warns there, and refuses twice as many."""

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # the bound here is told in one line


def too_large(path: File) -> str:
    """Return what to say of a picture of more pixels than are read."""
    return f"{path}: has more than {LARGEST:,} pixels; cut it into smaller pictures"


@contextmanager
def open_image(path: File, file: IO[bytes] | None = None) -> Iterator[ImageFile.ImageFile]:
    """Open an image whose pixels, if they are wanted, are decoded within the block.

    Args:
        path: of the image.
        file: the image, where it is open already.

    Raises:
        DataError: where it has too many pixels.
        OSError: where it is missing, or for whatever Pillow raises at a damaged file.
    """
    try:
        with Image.open(opened_by_libraries(path) if file is None else file, formats=FORMATS) as image:
            if image.width * image.height > LARGEST:
                raise DataError(too_large(path))
            yield image
    except (DataError, OSError):
        raise
    except Image.DecompressionBombError:
        raise DataError(too_large(path)) from None
    except Exception as error:  # at text that unpacks to gigabytes, at chunks that are cut short, …
        raise OSError(" ".join(str(error).split())[:200] or type(error).__name__) from error
