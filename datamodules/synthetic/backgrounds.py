"""The backgrounds of Scenes: a sky, something far away and a plain ground, or a wall; none of it is a companion."""

from __future__ import annotations

import numpy as np

from datamodules.synthetic.canvas import SUB, Brush, Canvas
from datamodules.synthetic.chance import Chance, Colour, Integers

SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((112, 170, 226), (205, 227, 243)),
    ((150, 196, 230), (240, 236, 220)),
    ((236, 160, 140), (250, 222, 178)),
    ((168, 176, 190), (218, 222, 226)),
    ((146, 140, 196), (238, 196, 196)),
    ((176, 216, 214), (236, 240, 226)),
)
GROUNDS: dict[str, tuple[Colour, ...]] = {
    "sand": ((222, 196, 146), (212, 180, 132)),
    "earth": ((150, 112, 84), (132, 100, 80)),
    "paving": ((176, 172, 168), (158, 156, 160)),
    "snow": ((236, 240, 246), (224, 230, 240)),
    "stubble": ((206, 182, 112), (190, 168, 108)),
    "heath": ((150, 118, 138), (140, 110, 118)),
}
HILLS: tuple[Colour, ...] = ((132, 150, 176), (150, 140, 164), (150, 152, 128), (176, 158, 140), (118, 138, 146))
HOUSES: tuple[Colour, ...] = ((196, 164, 148), (206, 190, 160), (168, 172, 182), (184, 148, 138), (150, 154, 150))
WALLS: tuple[Colour, ...] = ((172, 110, 92), (190, 160, 136), (160, 164, 172), (206, 196, 176))


def paint_background(canvas: Canvas, chance: Chance) -> int:
    """Cover the canvas and return the row, in sub-pixels, at which the ground begins."""
    horizon = chance.between(40, 54) * SUB
    if chance.percent(18):
        _wall(canvas, chance, horizon)
    else:
        _sky(canvas, chance, horizon)
        for _ in range(chance.between(0, 2)):
            _hills(canvas, chance, horizon)
        far = chance.choose(("town", "trees", "peaks", "none", "none"))
        if far == "town":
            _town(canvas, chance, horizon)
        elif far == "trees":
            _trees(canvas, chance, horizon)
        elif far == "peaks":
            _peaks(canvas, chance, horizon)
    _ground(canvas, chance, horizon)
    return horizon


def _blend(first: Colour, second: Colour, weight: Integers) -> Integers:
    """Mix two colours; ``weight`` 0…255 of the second."""
    start, end = np.array(first, dtype=np.int32), np.array(second, dtype=np.int32)
    return start + (end - start) * weight[:, :, None] // 255


def _sky(canvas: Canvas, chance: Chance, horizon: int) -> None:
    top, low = chance.choose(SKIES)
    depth = np.minimum(canvas.rows() * 255 // horizon, 255) + canvas.columns() * 0
    haze = chance.clouds(canvas.height, canvas.width, 22 * SUB, 40 * SUB)
    weight = np.clip(depth + (haze - 128) * chance.between(0, 80) // 128, 0, 255)
    canvas.colours[:] = _blend(chance.tint(top, 8), chance.tint(low, 8), weight)


def _hills(canvas: Canvas, chance: Chance, horizon: int) -> None:
    high = chance.between(8, 24) * SUB
    line = chance.skyline(canvas.width, chance.between(24, 60) * SUB, horizon - high, horizon)
    depth = canvas.rows() - line[None, :]
    inside = depth >= 0
    colour = np.array(chance.tint(chance.choose(HILLS), 10), dtype=np.int32)
    canvas.colours[inside] = colour + np.clip(depth[inside] // 6, 0, 24)[:, None]


def _peaks(canvas: Canvas, chance: Chance, horizon: int) -> None:
    brush = Brush(canvas, 0, 0, canvas.width, horizon)
    rock = chance.tint((128, 132, 150), 10)
    for _ in range(chance.between(2, 4)):
        x, top, wide = chance.between(0, 1000), chance.between(420, 720), chance.between(160, 300)
        brush.polygon([(x - wide, 1010), (x, top), (x + wide, 1010)], rock, 10)
        snow = (1000 - top) // 4
        edge = wide * snow // (1000 - top)
        cap = [(x - edge, top + snow), (x, top), (x + edge, top + snow), (x + edge // 3, top + snow * 3 // 4)]
        brush.polygon([*cap, (x, top + snow), (x - edge // 3, top + snow * 3 // 4)], (238, 242, 248))


def _town(canvas: Canvas, chance: Chance, horizon: int) -> None:
    left = -chance.between(0, 10) * SUB
    while left < canvas.width:
        wide, high = chance.between(10, 20) * SUB, chance.between(10, 26) * SUB
        house = Brush(canvas, left, horizon - high, wide, high)
        front = chance.tint(chance.choose(HOUSES), 10)
        house.box(0, 0, 1000, 1010, front, 6)
        if chance.percent(60):
            house.polygon([(-40, 0), (500, -300), (1040, 0)], chance.tint((146, 96, 84), 14), 8)
        for y in range(4 * SUB, high - 3 * SUB, 7 * SUB):
            for x in range(3 * SUB, wide - 3 * SUB, 5 * SUB):
                window = Brush(canvas, left + x, horizon - high + y, 2 * SUB, 3 * SUB)
                window.box(0, 0, 1000, 1000, chance.tint((104, 110, 122), 8))
        left += wide + chance.between(0, 3) * SUB


def _trees(canvas: Canvas, chance: Chance, horizon: int) -> None:
    crown = chance.choose(((116, 128, 104), (96, 116, 112), (150, 120, 84)))
    rough = chance.clouds(canvas.height, canvas.width, 2 * SUB, 2 * SUB) * 30 // 255 - 15
    left = 0
    while left < canvas.width:
        high = chance.between(9, 17) * SUB
        tree = Brush(canvas, left, horizon - high, 10 * SUB, high)
        tree.box(440, 600, 560, 1010, (104, 84, 72))
        tree.ellipse(500, 400, 560, 440, chance.tint(crown, 8), 14, rough)
        left += chance.between(6, 18) * SUB


def _ground(canvas: Canvas, chance: Chance, horizon: int) -> None:
    kind = chance.choose(tuple(GROUNDS))
    near = chance.tint(chance.choose(GROUNDS[kind]), 8)
    height, width = canvas.height - horizon, canvas.width
    depth = np.arange(height, dtype=np.int32)[:, None]
    grey = 14 - 28 * depth // height + chance.clouds(height, width, 6 * SUB, 30 * SUB) * 20 // 255 - 10
    if kind in ("sand", "snow"):  # ripples
        wave = (depth * 4 + chance.clouds(height, width, 10 * SUB, 30 * SUB) // 2) % 64
        grey = grey + (np.abs(wave - 32) - 16) * (10 if kind == "sand" else 5) // 16
    elif kind == "earth":  # furrows
        grey = grey + np.where((depth * 10 // (8 + depth // 40)) % 40 < 12, -14, 4)
    elif kind == "paving":  # slabs
        row = depth // (9 * SUB)
        joint = (depth % (9 * SUB) < 3) | ((np.arange(width)[None, :] + row * 9 * SUB) % (18 * SUB) < 3)
        grey = grey + np.where(joint, -22, 0)
    elif kind in ("stubble", "heath"):
        grey = grey + chance.clouds(height, width, 3 * SUB, SUB) * 36 // 255 - 18
    canvas.colours[horizon:] = np.clip(np.array(near, dtype=np.int32) + grey[:, :, None], 0, 255)


def _wall(canvas: Canvas, chance: Chance, horizon: int) -> None:
    colour = np.array(chance.tint(chance.choose(WALLS), 10), dtype=np.int32)
    row, column = canvas.rows(), canvas.columns()
    grey = chance.clouds(canvas.height, canvas.width, 20 * SUB, 30 * SUB) * 30 // 255 - 15
    if chance.percent(60):  # bricks
        course = row // (5 * SUB)
        joint = (row % (5 * SUB) < 3) | ((column + course * 5 * SUB) % (10 * SUB) < 3)
        grey = grey + np.where(joint, 22, 0)
    canvas.colours[:] = np.clip(colour + grey[:, :, None], 0, 255)
    skirting = np.array((116, 100, 92), dtype=np.int16)
    canvas.colours[horizon - 2 * SUB : horizon] = skirting
