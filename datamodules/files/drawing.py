"""A label or a map drawn over its image, in the colours of the label files; plain arrays in and out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from datamodules.files.labels import BIASED, IGNORED, Label, codes_in, voc_palette

Picture = NDArray[np.uint8]

_HEAT = ((11, 10, 34), (78, 24, 96), (172, 48, 84), (240, 118, 56), (252, 244, 186))


def colours() -> Picture:
    """Return the palette of the label files, its classes lightened by a quarter so that they show on dark images.

    Returns:
        uint8 array of shape (256, 3); 254 keeps its magenta and 255 its white.
    """
    palette = np.array(voc_palette(), dtype=np.uint8).reshape(256, 3)
    light = (palette.astype(np.float32) * 0.75 + 255 * 0.25).astype(np.uint8)
    light[[0, BIASED, IGNORED]] = palette[[0, BIASED, IGNORED]]
    return light


def shown(label: Label) -> Picture:
    """Return a label with codes of 8 bits: those of 16 bits keep biased and ignored, and 253 colours go round."""
    codes = codes_in(label)
    if codes.bits == 8:
        return label.astype(np.uint8, copy=False)
    eight = ((label.astype(np.int64) - 1) % (BIASED - 1) + 1).astype(np.uint8)
    for code, becomes in ((0, 0), (codes.biased, BIASED), (codes.ignored, IGNORED)):
        eight[label == code] = becomes
    return eight


def blend(image: Picture, label: Picture, strength: float = 0.62) -> Picture:
    """Draw a label over an image: classes in colour with an outline, biased pixels hatched magenta, ignored white.

    Args:
        image: uint8, shape (H, W, 3), RGB.
        label: uint8, shape (H, W), codes as in the label files; see `shown`.
        strength: how much of a class's colour covers the image, 0 to 1.

    Returns:
        uint8 array of shape (H, W, 3).

    Raises:
        ValueError: where the two sizes differ.
    """
    if image.shape[:2] != label.shape:
        raise ValueError(f"a label of {label.shape} cannot be drawn over an image of {image.shape[:2]}")
    base = image.astype(np.float32)
    grey = base.mean(axis=2, keepdims=True)
    canvas = 0.45 * base + 0.55 * (0.6 * grey + 0.4 * 255)  # paled, so that a mask is what the eye meets first
    colour = colours().astype(np.float32)[label]
    painted = (label > 0)[..., None]
    # over grey, so that a mask keeps its hue on any object
    canvas = np.where(painted, (1 - strength) * grey + strength * colour, canvas)
    canvas = np.where((_outline(label) & (label > 0))[..., None], colour, canvas)
    rows, columns = np.indices(label.shape)
    stripe = ((rows + columns) // max(2, max(label.shape) // 64)) % 2 == 0
    for code in (BIASED, IGNORED):
        here = label == code
        canvas = np.where((here & stripe)[..., None], colour, canvas)
        canvas = np.where((here & ~stripe)[..., None], 0.7 * grey + 0.3 * colour, canvas)
    return canvas.round().clip(0, 255).astype(np.uint8)


def with_names(picture: Picture, label: Label, class_names: Sequence[str]) -> Picture:
    """Write each class's name on its pixels, at the one of them that is nearest to their middle.

    Args:
        picture: uint8, shape (H, W, 3), RGB.
        label: codes, shape (H, W).
        class_names: background first, which has no name written.

    Returns:
        uint8 array of shape (H, W, 3).
    """
    drawn = Image.fromarray(picture)
    pen, size = ImageDraw.Draw(drawn), max(10, min(label.shape) // 22)
    font = ImageFont.load_default(size)
    for code in np.unique(label):
        if not 0 < code < len(class_names):
            continue
        places = np.argwhere(label == code)
        row, column = places[np.abs(places - places.mean(axis=0)).sum(axis=1).argmin()]
        name = class_names[code]
        half = pen.textlength(name, font) / 2
        x = float(np.clip(column, half, max(half, label.shape[1] - half)))  # not beyond the border
        outline = {"stroke_width": max(1, size // 8), "stroke_fill": (0, 0, 0)}
        pen.text((x, float(row)), name, (255, 255, 255), font, "mm", **outline)
    return np.array(drawn)


def heat(values: Picture) -> Picture:
    """Colour a map from dark (0) to pale yellow (255).

    Args:
        values: uint8, shape (H, W).

    Returns:
        uint8 array of shape (H, W, 3).
    """
    at = np.linspace(0, 255, len(_HEAT))
    table = np.stack([np.interp(np.arange(256), at, channel) for channel in zip(*_HEAT, strict=True)], axis=1)
    return table.round().astype(np.uint8)[values]


def _outline(label: Picture) -> NDArray[np.bool_]:
    edge = np.zeros(label.shape, dtype=bool)
    across, down = label[:, 1:] != label[:, :-1], label[1:] != label[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge
