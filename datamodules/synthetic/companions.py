"""The companions of Scenes: rails, sea, meadow and branch, each with a colour and a texture of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from datamodules.synthetic.canvas import SUB, Brush, Canvas, Mask
from datamodules.synthetic.chance import Chance, Colour, Integers

Place = tuple[int, int, int, int]
"""Left, top, width and height in sub-pixels."""


def _patch(canvas: Canvas, chance: Chance, place: Place, rough: int) -> Mask:
    """Return where a band with soft ends and a wavy border lies; ``rough`` in sub-pixels."""
    left, top, width, height = place
    row, column = canvas.rows(), canvas.columns()
    end = max(1, min(height, width // 4))
    inset = np.clip(end - np.minimum(column - left, left + width - 1 - column), 0, end)
    bow = inset * inset * height // (2 * end * end)  # ends rounded like a lens
    upper = top + bow + chance.skyline(canvas.width, 6 * SUB, -rough, rough)[None, :]
    lower = top + height - bow + chance.skyline(canvas.width, 9 * SUB, -rough, rough)[None, :]
    return (row >= upper) & (row < lower) & (column >= left) & (column < left + width)


def _lay(canvas: Canvas, inside: Mask, colour: Colour, grey: Integers, code: int) -> None:
    canvas.colours[inside] = np.clip(np.array(colour, dtype=np.int32) + grey[inside][:, None], 0, 255)
    canvas.regions[inside] = code


def paint_rails(canvas: Canvas, chance: Chance, place: Place, code: int) -> None:
    """Paint gravel, dark sleepers and two bright rails."""
    left, top, width, height = place
    gravel = chance.clouds(canvas.height, canvas.width, SUB, SUB) * 70 // 255 - 35
    inside = _patch(canvas, chance, (left, top, width, height), SUB)
    _lay(canvas, inside, chance.tint((128, 116, 110), 8), gravel, code)
    sleepers = (canvas.columns() * 2 + (canvas.rows() - top)) // 2 % (6 * SUB) < 2 * SUB + 2
    margin = height // 6
    within = (canvas.rows() >= top + margin) & (canvas.rows() < top + height - margin)
    _lay(canvas, inside & sleepers & within, chance.tint((72, 50, 40), 6), gravel // 4, code)
    for part in (30, 72):
        rail = top + height * part // 100
        row = canvas.rows() + 0 * canvas.columns()
        _lay(canvas, inside & (row >= rail) & (row < rail + 5), (206, 212, 220), gravel * 0, code)
        _lay(canvas, inside & (row >= rail + 5) & (row < rail + 8), (60, 56, 58), gravel * 0, code)


def paint_sea(canvas: Canvas, chance: Chance, place: Place, code: int) -> None:
    """Paint deep blue water with rows of arched crests."""
    water = chance.tint(chance.choose(((24, 84, 150), (18, 104, 142), (34, 74, 132))), 8)
    row, column = canvas.rows(), canvas.columns()
    pitch, period = 4 * SUB, 9 * SUB
    line = (row - place[1]) // pitch
    phase = (column + line * period // 2 + chance.clouds(canvas.height, canvas.width, pitch, 20 * SUB) // 16) % period
    arch = phase * (period - phase) * 8 // (period * period)  # a parabola, 0…2
    crest = ((row - place[1]) % pitch + arch * 2) // 2
    swell = chance.clouds(canvas.height, canvas.width, 4 * SUB, 12 * SUB) * 24 // 255 - 12
    inside = _patch(canvas, chance, place, SUB)
    _lay(canvas, inside, water, swell, code)
    _lay(canvas, inside & (crest == 4), (150, 206, 232), swell, code)
    _lay(canvas, inside & (crest == 5), (70, 140, 192), swell, code)


def paint_meadow(canvas: Canvas, chance: Chance, place: Place, code: int) -> None:
    """Paint bright green grass with visible tufts and a few flowers."""
    left, top, width, height = place
    green = chance.tint(chance.choose(((88, 170, 56), (104, 176, 48), (76, 160, 66))), 8)
    grass = chance.clouds(canvas.height, canvas.width, 2 * SUB, SUB) * 40 // 255 - 20
    _lay(canvas, _patch(canvas, chance, place, 2 * SUB), green, grass, code)
    brush = Brush(canvas, left, top, width, height, code)
    dark, light = (36, 104, 30), (176, 222, 92)
    for _ in range(width * height // (26 * SUB * SUB)):
        x, y = chance.between(60, 940), chance.between(40, 1000)
        blade, lean = 4 * SUB * 1000 // height, 2 * SUB * 1000 // width
        for side, colour in ((-lean, dark), (0, light), (lean, dark)):
            brush.line([(x, y), (x + side, y - blade + abs(side) * 60 // 1000)], 3, colour)
    for _ in range(chance.between(0, 7)):
        petal = chance.choose(((250, 250, 250), (250, 220, 60), (240, 110, 130)))
        flower = Brush(canvas, *brush.point(chance.between(60, 940), chance.between(100, 900)), 10, 10, code)
        flower.disc(0, 0, 420, petal)


def paint_branch(canvas: Canvas, chance: Chance, place: Place, code: int) -> None:
    """Paint a brown branch along a third of its place's depth, with dark pointed leaves and a few berries."""
    brush = Brush(canvas, *place, code)
    wood = chance.tint((104, 66, 40), 8)
    ends = chance.between(200, 420), chance.between(260, 420)
    brush.line([(0, ends[0]), (330, 340), (670, 340), (1000, ends[1])], 3 * SUB, wood, 8)
    leaf = chance.tint(chance.choose(((22, 92, 72), (30, 104, 60), (20, 84, 86))), 6)
    half = 3 * SUB * 1000 // place[2]
    for x in range(10, 1000, 5 * SUB * 1000 // place[2]):
        tips = [chance.between(680, 1000), chance.between(0, 160)]
        for tip in tips if chance.percent(60) else tips[:1]:
            end, waist = x + chance.between(-half, half), 340 + (tip - 340) * 55 // 100
            tone = chance.tint(leaf, 14)
            brush.polygon([(x, 340), (x - half, waist), (end, tip), (x + half, waist)], tone, 14)
            brush.line([(x, 340), (end, 340 + (tip - 340) * 8 // 10)], 2, (132, 176, 120))
        if chance.percent(25):
            berry = Brush(canvas, *brush.point(x + half, chance.between(450, 750)), 10, 10, code)
            berry.disc(0, 0, 600, (206, 44, 52), 14)


@dataclass(frozen=True)
class Companion:
    """How a companion is painted and where it lies.

    Attributes:
        paint: draws it into a place, with a region code.
        above: per cent of its depth that lies above the feet of the objects.
        spans: it crosses the picture, as rails do.
        hangs: it comes from a side of the picture, above the ground, as a branch does.
    """

    paint: Callable[[Canvas, Chance, Place, int], None]
    above: int
    spans: bool = False
    hangs: bool = False


RAILS = Companion(paint_rails, 30, spans=True)
SEA = Companion(paint_sea, 30)
MEADOW = Companion(paint_meadow, 40)
BRANCH = Companion(paint_branch, 34, hangs=True)

World = Mapping[str, Companion]
"""Class with a companion → its companion."""

WORLDS: dict[str, World] = {
    "first": {"train": RAILS, "boat": SEA, "sheep": MEADOW, "bird": BRANCH},
    "second": {"sheep": SEA, "horse": MEADOW, "car": RAILS, "balloon": BRANCH},
}
"""``first`` is Scenes. On ``second`` nobody has chosen a setting: other classes have other companions there."""

FIRST = WORLDS["first"]
