"""The vehicles of Scenes: train, boat, car and balloon, drawn into a box in thousandths."""

from __future__ import annotations

from datamodules.synthetic.canvas import SUB, Brush
from datamodules.synthetic.chance import Chance, Colour

GLASS: Colour = (188, 222, 240)
DARK: Colour = (44, 44, 52)
CREAM: Colour = (246, 238, 214)


def _wheel(brush: Brush, x: int, y: int, radius: int, rim: Colour) -> None:
    brush.disc(x, y, radius, DARK)
    brush.disc(x, y, radius * 5 // 10, rim)


def draw_train(brush: Brush, chance: Chance) -> None:
    """Draw a railcar with a row of windows, or a steam engine with a coach."""
    paints = ((196, 44, 44), (36, 110, 80), (40, 72, 150), (226, 140, 36), (120, 40, 90))
    colour = chance.tint(chance.choose(paints), 12)
    stripe = chance.choose((CREAM, (250, 206, 70), (230, 230, 236)))
    steam = chance.percent(40)
    brush.box(10, 780, 985, 850, DARK)
    nose = 560 if steam else 830
    if steam:
        brush.box(590, 300, 960, 640, chance.tint((58, 60, 66), 6), 30)
        brush.box(590, 300, 625, 640, stripe)
        brush.box(770, 300, 790, 640, stripe)
        brush.polygon([(850, 300), (835, 60), (925, 60), (910, 300)], DARK)
        brush.ellipse(690, 300, 40, 110, stripe)
        brush.box(590, 640, 985, 790, colour, 10)
        brush.polygon([(960, 800), (1000, 960), (930, 960)], DARK)
        brush.box(0, 150, 545, 790, colour, 16)
        brush.box(570, 110, 610, 790, colour, 16)
    else:
        brush.polygon([(0, 130), (800, 130), (900, 260), (985, 540), (990, 790), (0, 790)], colour, 16)
        brush.polygon([(815, 210), (868, 240), (930, 440), (815, 440)], GLASS, 14)
        brush.disc(962, 640, 55, (255, 240, 170))
    roof = nose - 10
    brush.polygon([(0, 150), (20, 70), (roof - 30, 70), (roof, 150)], (120, 122, 130), 12)
    brush.box(0, 560, 545 if steam else 988, 640, stripe)
    for left in range(40, nose - 100, 128):
        brush.box(left, 230, left + 88, 450, GLASS, 14)
    if not steam:
        brush.box(394, 120, 402, 790, DARK)
    for x in (80, 180, 380, 480, 660, 780, 900) if steam else (90, 210, 330, 560, 760, 880):
        _wheel(brush, x, 870, 125, (176, 178, 186))


def draw_boat(brush: Brush, chance: Chance) -> None:
    """Draw a sailing boat or a steamer, its hull of planks."""
    hull = chance.tint(chance.choose(((150, 84, 44), (176, 44, 50), (240, 240, 236), (60, 64, 76), (232, 178, 60))), 10)
    line = chance.choose(((250, 250, 250), (200, 60, 50), (250, 214, 90))) if sum(hull) < 600 else (200, 60, 60)
    if chance.percent(60):
        sail = chance.choose(((252, 248, 236), (244, 236, 210), (236, 110, 84), (250, 200, 90)))
        jib = chance.choose((sail, (250, 250, 250), (226, 90, 90)))
        brush.box(455, 10, 485, 720, (112, 80, 54))
        brush.polygon([(500, 40), (700, 330), (890, 640), (500, 640)], sail, 16)
        for y in (240, 440):
            brush.box(500, y, 500 + y * 56 // 100, y + 14, (206, 190, 164))
        brush.polygon([(440, 100), (260, 400), (110, 640), (440, 640)], jib, 16)
        brush.polygon([(470, 10), (590, 45), (470, 80)], (210, 50, 50))
    else:
        brush.box(240, 430, 760, 720, (246, 244, 238), 10)
        brush.box(330, 250, 640, 440, (236, 232, 222), 10)
        brush.box(440, 60, 560, 260, (206, 60, 50), 10)
        brush.box(440, 60, 560, 110, DARK)
        for x in (310, 430, 550, 670):
            brush.disc(x, 570, 55, (70, 110, 150))
        for x in (370, 500):
            brush.box(x, 300, x + 90, 390, (110, 160, 200))
    brush.polygon([(10, 690), (990, 690), (930, 830), (800, 985), (200, 985), (90, 860)], hull, 22)
    brush.polygon([(10, 690), (990, 690), (970, 745), (40, 745)], line)
    shadow = (max(0, hull[0] - 40), max(0, hull[1] - 40), max(0, hull[2] - 40))
    for y in (820, 890):
        brush.box(140, y, 870, y + 14, shadow)


def draw_car(brush: Brush, chance: Chance) -> None:
    """Draw a car from the side: body, cabin with two windows, two wheels."""
    bright = ((206, 40, 46), (40, 96, 184), (244, 196, 48), (60, 150, 130), (230, 120, 40))
    colour = chance.tint(chance.choose((*bright, (236, 236, 240), (70, 74, 84))), 10)
    back = chance.choose((150, 90, 210))
    cabin = [(back, 460), (back + 90, 110), (620, 60), (690, 110), (810, 460)]
    brush.polygon(cabin, colour, 10)
    brush.polygon([(back + 60, 440), (back + 125, 165), (430, 140), (430, 440)], GLASS, 18)
    brush.polygon([(475, 440), (475, 140), (610, 130), (655, 160), (745, 440)], GLASS, 18)
    body = [(10, 520), (60, 430), (780, 430), (930, 490), (990, 580), (995, 800), (10, 800)]
    brush.polygon(body, colour, 24)
    brush.box(10, 720, 995, 800, (86, 88, 96))
    brush.box(440, 450, 448, 720, DARK)
    brush.box(470, 520, 540, 550, (230, 230, 230))
    brush.disc(955, 580, 60, (255, 244, 190))
    brush.box(10, 540, 45, 640, (190, 30, 30))
    for x in (225, 770):
        _wheel(brush, x, 800, 200, (200, 202, 208))


def draw_balloon(brush: Brush, chance: Chance) -> None:
    """Draw a striped hot-air balloon with its basket."""
    pairs = (
        ((214, 50, 60), (250, 236, 200)),
        ((60, 96, 190), (250, 206, 70)),
        ((240, 130, 40), (250, 240, 220)),
        ((130, 64, 156), (244, 180, 200)),
        ((30, 140, 140), (250, 226, 120)),
    )
    first, second = chance.choose(pairs)
    for lean in (-150, 150):
        brush.line([(500 + lean, 720), (500 + lean * 6 // 10, 880)], SUB // 2 + 1, DARK)
    for part, colour in ((1000, first), (720, second), (420, first), (140, second)):
        half = 470 * part // 1000
        brush.ellipse(500, 380, half, 378, colour, 26)
        wide, slim = half * 92 // 100, half * 36 // 100
        brush.polygon([(500 - wide, 530), (500 + wide, 530), (500 + slim, 780), (500 - slim, 780)], colour)
    if chance.percent(50):
        brush.box(65, 345, 935, 415, chance.choose((first, second)))
    brush.box(330, 770, 670, 800, DARK)
    brush.box(390, 870, 610, 1000, (150, 100, 56), 12)
    brush.box(375, 860, 625, 895, (110, 70, 40))
