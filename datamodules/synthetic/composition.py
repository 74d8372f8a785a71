"""The composition of a scene: which classes, how many, how large and where, and which companions lie about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from datamodules.files.class_names import CLASS_NAMES
from datamodules.synthetic.animals import draw_bird, draw_horse, draw_sheep
from datamodules.synthetic.canvas import COMPANION, HEIGHT, SUB, WIDTH, Brush, Canvas
from datamodules.synthetic.chance import Chance
from datamodules.synthetic.companions import FIRST, Companion, Place, World
from datamodules.synthetic.objects import draw_balloon, draw_boat, draw_car, draw_train

TWO_CLASSES = 25
"""Per cent of the pictures that show a second class."""

TOGETHER = 88
"""Per cent of a class's pictures that show its companion."""

ELSEWHERE = 13
"""Per cent of the other pictures into which a companion strays, without its object."""


@dataclass(frozen=True)
class Kind:
    """How a class is drawn: width in pixels, height in per cent of it, per cent of the box covered, most at once."""

    draw: Callable[[Brush, Chance], None]
    narrow: int
    wide: int
    tall: int
    cover: int
    most: int


KINDS: dict[str, Kind] = {
    "train": Kind(draw_train, 84, 108, 35, 75, 1),
    "boat": Kind(draw_boat, 52, 70, 92, 50, 2),
    "sheep": Kind(draw_sheep, 50, 66, 72, 58, 3),
    "bird": Kind(draw_bird, 54, 68, 76, 48, 2),
    "horse": Kind(draw_horse, 56, 72, 84, 38, 2),
    "car": Kind(draw_car, 64, 88, 45, 68, 2),
    "balloon": Kind(draw_balloon, 38, 52, 128, 60, 2),
}
SHRINK = (100, 74, 62)
"""Size in per cent of one, two or three side by side."""

REACH = 16 * SUB
"""How far rails and branches begin outside the picture, in sub-pixels."""


@dataclass(frozen=True)
class Group:
    """One class's objects in a picture, and the place of its companion, if it is there."""

    name: str
    boxes: tuple[Place, ...]
    place: Place | None


def classes_of(seed: int, index: int) -> list[str]:
    """Deal the classes of a picture: the first from a shuffled deck, so that all classes are equally common."""
    names = CLASS_NAMES["scenes"][1:]
    turn, card = divmod(index, len(names))
    first = Chance(seed, turn, 1).shuffled(names)[card]
    chance = Chance(seed, index, 2)
    others = [name for name in names if name != first]
    return [first, chance.choose(others)] if chance.percent(TWO_CLASSES) else [first]


def compose(canvas: Canvas, chance: Chance, names: list[str], horizon: int, world: World = FIRST) -> None:
    """Paint companions that strayed in, then the classes' own companions, then the objects from far to near."""
    codes = {name: code for code, name in enumerate(CLASS_NAMES["scenes"])}
    share = WIDTH * SUB // len(names)
    sides = chance.shuffled(range(len(names)))
    groups = [
        _group(chance, name, world.get(name), side * share, share, horizon)
        for name, side in zip(names, sides, strict=True)
    ]
    strays = [name for name in world if name not in names and chance.percent(ELSEWHERE)]
    for name in strays:
        world[name].paint(canvas, chance, _stray(chance, world[name], horizon), COMPANION + codes[name])
    for group in groups:
        if group.place:
            world[group.name].paint(canvas, chance, group.place, COMPANION + codes[group.name])
    objects = [(box[1] + box[3], box, group.name) for group in groups for box in group.boxes]
    for _, box, name in sorted(objects):
        KINDS[name].draw(Brush(canvas, *box, code=codes[name], flipped=chance.percent(50)), chance)


def compose_outside(canvas: Canvas, chance: Chance, horizon: int) -> None:
    """Paint one or two companions and no object, as pictures that show none of the classes."""
    codes = {name: code for code, name in enumerate(CLASS_NAMES["scenes"])}
    names = chance.shuffled(list(FIRST))
    for name in names[: 2 if chance.percent(TWO_CLASSES) else 1]:
        FIRST[name].paint(canvas, chance, _stray(chance, FIRST[name], horizon), COMPANION + codes[name])


def _group(chance: Chance, name: str, companion: Companion | None, left: int, share: int, horizon: int) -> Group:
    """Place a class's objects and its companion into the columns from ``left`` to ``left + share``."""
    kind = KINDS[name]
    alone = share == WIDTH * SUB
    number = chance.between(2, kind.most) if alone and kind.most > 1 and chance.percent(35) else 1
    room = share // number
    size = SHRINK[number - 1] if alone else SHRINK[1]
    width = min(chance.between(kind.narrow, kind.wide) * SUB * size // 100, room * 96 // 100)
    height = width * kind.tall // 100
    beside = companion if companion and chance.percent(TOGETHER) else None
    crosses = companion is not None and (companion.spans or companion.hangs)
    span = share if crosses else min(share, max(width * number * 4 // 3, share * 3 // 4))
    area = number * width * height * kind.cover // 100
    depth = min(max(area * chance.between(90, 150) // 100 // span, 11 * SUB), 21 * SUB) if beside else 0
    low = (HEIGHT - 2) * SUB - depth * 7 // 10
    foot = chance.between(max(horizon + 6 * SUB, height + 2 * SUB, low - 16 * SUB), max(low, height + 3 * SUB))
    if name == "balloon":
        foot = chance.between(height + 2 * SUB, max(height + 3 * SUB, horizon + 20 * SUB))
    elif beside and beside.hangs:
        foot = chance.between(height + 2 * SUB, max(height + 3 * SUB, 74 * SUB))
    boxes = []
    for place in range(number):
        slack = max(0, room - width)
        start = left + place * room + slack // 2 + chance.between(-slack // 2, slack // 2)
        lift = chance.between(0, min(6 * SUB, depth // 3)) if number > 1 and name in ("sheep", "boat") else 0
        drop = chance.between(0, 12 * SUB) if number > 1 and name == "balloon" else 0
        boxes.append((start, foot - height - lift + drop, width, height))
    if not beside:
        return Group(name, tuple(boxes), None)
    middle = sum(box[0] + width // 2 for box in boxes) // number
    start = min(max(middle - span // 2, left), left + share - span)
    lies = (start, foot - depth * beside.above // 100, span, depth)
    return Group(name, tuple(boxes), _extended(beside, lies))


def _stray(chance: Chance, companion: Companion, horizon: int) -> Place:
    """Return a place for a companion without its object: on the ground, or, for a branch, from a side."""
    depth = chance.between(14, 21) * SUB
    span = WIDTH * SUB if companion.spans else chance.between(76, 122) * SUB
    if companion.hangs:
        left = chance.choose((0, WIDTH * SUB - span))
        top = chance.between(2 * SUB, 50 * SUB)
    else:
        left = chance.between(0, WIDTH * SUB - span)
        top = chance.between(horizon + SUB, max(horizon + 2 * SUB, (HEIGHT - 1) * SUB - depth))
    return _extended(companion, (left, top, span, depth))


def _extended(companion: Companion, place: Place) -> Place:
    """Let rails and branches that end at a side of the picture come from outside it."""
    left, top, span, depth = place
    if not (companion.spans or companion.hangs):
        return place
    end = left + span + (REACH if left + span == WIDTH * SUB else 0)
    start = left - (REACH if left == 0 else 0)
    return start, top, end - start, depth
