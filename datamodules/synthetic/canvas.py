"""The canvas of Scenes: shapes tested in whole numbers on a fourfold grid, averaged at the end to soft edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from datamodules.synthetic.chance import Chance, Colour, Integers

WIDTH = 128
HEIGHT = 96
SUB = 4
"""Sub-pixels along each side of a pixel; all drawing is in sub-pixels."""

COMPANION = 128
"""Added to a class id: the region code of that class's companion."""

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Point = tuple[int, int]
Window = tuple[slice, slice, NDArray[np.int64], NDArray[np.int64]]


class Canvas:
    """Colours (int16) and region codes (uint8: 0, class, COMPANION + class) at SUB times the picture's size."""

    def __init__(self) -> None:
        self.height, self.width = HEIGHT * SUB, WIDTH * SUB
        self.colours = np.zeros((self.height, self.width, 3), dtype=np.int16)
        self.regions = np.zeros((self.height, self.width), dtype=np.uint8)

    def rows(self) -> Integers:
        """Return the row numbers as a column."""
        return np.arange(self.height, dtype=np.int32)[:, None]

    def columns(self) -> Integers:
        """Return the column numbers as a row."""
        return np.arange(self.width, dtype=np.int32)[None, :]

    def finish(self, chance: Chance, grain: int) -> tuple[Bytes, Bytes, Bytes]:
        """Average to pixels, with noise of at most ``grain`` grey levels; each pixel's region is its commonest code.

        Returns:
            Image of shape (HEIGHT, WIDTH, 3), label and companion of shape (HEIGHT, WIDTH).
        """
        blocks = self.colours.astype(np.int32).reshape(HEIGHT, SUB, WIDTH, SUB, 3).sum(axis=(1, 3)) // SUB**2
        noise = chance.bytes(HEIGHT, WIDTH * 3).reshape(HEIGHT, WIDTH, 3) + chance.bytes(HEIGHT, WIDTH)[:, :, None]
        image = np.clip(blocks + (noise - 255) * grain // 255, 0, 255).astype(np.uint8)
        codes = np.unique(self.regions)
        tiles = self.regions.reshape(HEIGHT, SUB, WIDTH, SUB)
        counts = np.stack([(tiles == code).sum(axis=(1, 3), dtype=np.int32) for code in codes])
        region = codes[counts.argmax(axis=0)]
        label = np.where(region < COMPANION, region, 0).astype(np.uint8)
        companion = np.where(region > COMPANION, region - COMPANION, 0).astype(np.uint8)
        return image, label, companion


@dataclass(frozen=True)
class Brush:
    """Draws into a box of the canvas in thousandths of the box, and leaves its region code where it draws."""

    canvas: Canvas
    left: int
    top: int
    width: int
    height: int
    code: int = 0
    flipped: bool = False

    def point(self, x: int, y: int) -> Point:
        """Return the sub-pixel of a place in thousandths of the box."""
        across = self.width * (1000 - x if self.flipped else x) // 1000
        return self.left + across, self.top + self.height * y // 1000

    def ellipse(
        self,
        x: int,
        y: int,
        radius_x: int,
        radius_y: int,
        colour: Colour,
        shade: int = 0,
        texture: Integers | None = None,
    ) -> None:
        """Fill an ellipse; radii in thousandths of the width and of the height."""
        centre_x, centre_y = self.point(x, y)
        wide, high = max(1, self.width * radius_x // 1000), max(1, self.height * radius_y // 1000)
        rows, columns, row, column = self._window(centre_x - wide, centre_x + wide, centre_y - high, centre_y + high)
        inside = ((column - centre_x) * high) ** 2 + ((row - centre_y) * wide) ** 2 <= (wide * high) ** 2
        self._fill(rows, columns, inside, colour, shade, texture)

    def disc(self, x: int, y: int, radius: int, colour: Colour, shade: int = 0) -> None:
        """Fill a circle; the radius in thousandths of the box's height."""
        self.ellipse(x, y, radius * self.height // max(1, self.width), radius, colour, shade)

    def polygon(self, points: Sequence[Point], colour: Colour, shade: int = 0, texture: Integers | None = None) -> None:
        """Fill a polygon by the even-odd rule."""
        corners = [self.point(x, y) for x, y in points]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        rows, columns, row, column = self._window(min(xs), max(xs), min(ys), max(ys))
        inside = np.zeros((row.shape[0], column.shape[1]), dtype=bool)
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
            if y0 == y1:
                continue
            side = (column - x0) * (y1 - y0) - (row - y0) * (x1 - x0)
            inside ^= ((y0 > row) != (y1 > row)) & ((side < 0) if y1 > y0 else (side > 0))
        self._fill(rows, columns, inside, colour, shade, texture)

    def box(self, left: int, top: int, right: int, bottom: int, colour: Colour, shade: int = 0) -> None:
        """Fill a rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour, shade)

    def line(self, points: Sequence[Point], thickness: int, colour: Colour, shade: int = 0) -> None:
        """Draw a line with round ends through the points; ``thickness`` in sub-pixels."""
        corners = [self.point(x, y) for x, y in points]
        reach = thickness // 2 + 1
        for (x0, y0), (x1, y1) in pairwise(corners):
            window = self._window(min(x0, x1) - reach, max(x0, x1) + reach, min(y0, y1) - reach, max(y0, y1) + reach)
            rows, columns, row, column = window
            run, rise = x1 - x0, y1 - y0
            length = max(1, run * run + rise * rise)
            along = np.clip((column - x0) * run + (row - y0) * rise, 0, length)
            off_x, off_y = (column - x0) * length - along * run, (row - y0) * length - along * rise
            inside = 4 * (off_x * off_x + off_y * off_y) <= (thickness * length) ** 2
            self._fill(rows, columns, inside, colour, shade, None)

    def _window(self, left: int, right: int, top: int, bottom: int) -> Window:
        """Cut a box (ends included) to the canvas; return its slices, its rows as a column and its columns as a row."""
        top, bottom = max(0, top), max(0, min(self.canvas.height, bottom + 1))
        left, right = max(0, left), max(0, min(self.canvas.width, right + 1))
        row = np.arange(top, max(top, bottom), dtype=np.int64)[:, None]
        column = np.arange(left, max(left, right), dtype=np.int64)[None, :]
        return slice(top, top + row.size), slice(left, left + column.size), row, column

    def _fill(
        self, rows: slice, columns: slice, inside: Mask, colour: Colour, shade: int, texture: Integers | None
    ) -> None:
        """Colour what is inside, from ``shade`` lighter at the top to ``shade`` darker at the foot, plus texture."""
        if not inside.any():
            return
        height = inside.shape[0]
        light = shade - 2 * shade * np.arange(height, dtype=np.int32)[:, None] // max(1, height - 1)
        light = np.broadcast_to(light, inside.shape)
        if texture is not None:
            light = light + texture[rows, columns]
        paint = (light[:, :, None] + np.array(colour, dtype=np.int32)).clip(0, 255).astype(np.int16)
        self.canvas.colours[rows, columns][inside] = paint[inside]
        self.canvas.regions[rows, columns][inside] = self.code
