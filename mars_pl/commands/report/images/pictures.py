"""The pictures of an image that the page lays over one another: the image as JPEG, each mask as a transparent PNG."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.drawing import Picture, colours, heat, shown
from datamodules.files.image_file import open_image
from datamodules.files.labels import Label, codes_in, read_label
from datamodules.files.shards.place import File
from mars_pl.commands.report.images.palette import HATCH_GROUND, class_colours
from mars_pl.commands.report.images.sets import Layer

LONGER_SIDE = 512
"""Pixels that the longer side of a picture has at most: VOC's images keep theirs."""

SUFFIXES = {"image": "jpg", "map": "jpg", "mask": "png", "truth": "png"}


def image_picture(picture: Picture) -> bytes:
    """Return an image as JPEG, scaled down where it is larger than is shown."""
    return _jpeg(_fit(picture, LONGER_SIDE))


def draw_layer(layer: Layer, image_id: str, size: tuple[int, ...], num_classes: int) -> bytes | None:
    """Return what lies over an image: a map as JPEG, a mask as PNG; None where it was not written.

    Args:
        layer: what is drawn.
        image_id: the image.
        size: height and width of the image.
        num_classes: with the background.

    Raises:
        DataError: where it is damaged or has another size than the image.
    """
    path = layer.folder / f"{image_id}.png"
    if not path.is_file():
        return None
    label = read_label(path)
    if layer.kind == "map":
        return _jpeg(heat(_fit(shown(label), LONGER_SIDE)))
    if label.shape != size:
        raise DataError(f"{path}: is {label.shape}, its image {size}; are both of one data set?")
    return mask_picture(label, num_classes)


def mask_picture(label: Label, num_classes: int, longer_side: int = LONGER_SIDE) -> bytes:
    """Return a label as an indexed PNG: background transparent, classes in colour, biased and ignored pixels hatched.

    Args:
        label: class indices (H, W) with the codes of label files.
        num_classes: with the background; what is neither a class nor a code is left out.
        longer_side: pixels to which it is scaled down.
    """
    label = _fit(label, longer_side, crisp=True)
    codes = codes_in(label)
    classes = class_colours(num_classes - 1)
    indexed = np.zeros(label.shape, dtype=np.uint8)
    palette: list[NDArray[np.uint8] | tuple[int, ...]] = [(0, 0, 0)]
    for index in np.unique(label):
        if 0 < index < num_classes and len(palette) < 250:  # so many in one image do not exist
            indexed[label == index] = len(palette)
            palette.append(classes[index - 1])
    rows, columns = np.indices(label.shape)
    stripe = ((rows + columns) // max(2, max(label.shape) // 64)) % 2 == 0
    for code, eight, name in ((codes.biased, 254, "biased"), (codes.ignored, 255, "ignored")):
        for place, colour in ((stripe, colours()[eight]), (~stripe, HATCH_GROUND[name])):
            indexed[(label == code) & place] = len(palette)
            palette.append(colour)
    picture = Image.fromarray(indexed).convert("P")
    picture.putpalette([int(value) for colour in palette for value in colour])
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", transparency=0)
    return buffer.getvalue()


def read_image(path: File) -> Picture:
    """Read an image as uint8 (H, W, 3), RGB.

    Raises:
        DataError: where it is missing or cannot be read.
    """
    try:
        with open_image(path) as image:
            return np.array(image.convert("RGB"), dtype=np.uint8)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read as an image ({type(error).__name__}); is `root` in run.json right?"
        ) from None


def as_uri(content: bytes, suffix: str) -> str:
    """Return a picture as a data URI, to be embedded."""
    kind = {"jpg": "jpeg", "svg": "svg+xml"}.get(suffix, suffix)
    return f"data:image/{kind};base64," + base64.b64encode(content).decode("ascii")


def _fit(picture: NDArray[Any], longer_side: int, crisp: bool = False) -> NDArray[Any]:
    """Scale a picture down where it is larger than is shown; a label keeps its codes."""
    image = Image.fromarray(picture)
    scale = longer_side / max(image.size)
    if scale >= 1:
        return picture
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    way = Image.Resampling.NEAREST if crisp else Image.Resampling.LANCZOS
    return np.array(image.resize(size, way)).astype(picture.dtype)


def _jpeg(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=86)
    return buffer.getvalue()
