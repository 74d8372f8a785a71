"""The animals of Scenes: sheep and horse, which look alike, and bird; all face right."""

from __future__ import annotations

from datamodules.synthetic.canvas import SUB, Brush
from datamodules.synthetic.chance import Chance, Colour

DARK: Colour = (40, 34, 34)
LOCKS = (
    *((170, 400), (250, 260), (400, 200), (560, 210), (690, 290)),
    *((730, 440), (640, 580), (480, 620), (320, 600), (200, 540)),
)
CURLS = ((300, 330), (440, 290), (580, 330), (240, 470), (380, 450), (520, 450), (650, 460), (330, 580), (480, 590))


def _darker(colour: Colour, by: int) -> Colour:
    return max(0, colour[0] - by), max(0, colour[1] - by), max(0, colour[2] - by)


def draw_sheep(brush: Brush, chance: Chance) -> None:
    """Draw a woolly sheep: a curly body on short dark legs."""
    wools = ((240, 234, 222), (228, 214, 190), (206, 200, 196), (150, 116, 92), (112, 104, 104))
    wool = chance.tint(chance.choose(wools), 8)
    face = chance.choose(((52, 44, 44), (70, 58, 52), (226, 200, 176)))
    leg = max(5, brush.height // 14)
    for x in (260, 390, 600, 710):
        brush.line([(x, 640), (x, 960)], leg, _darker(face, 10) if sum(face) < 300 else (120, 96, 82))
    texture = chance.clouds(brush.canvas.height, brush.canvas.width, 2 * SUB, 2 * SUB) * 64 // 255 - 40
    for x, y in LOCKS:
        brush.ellipse(x, y, 118, 158, wool, 8, texture)
    brush.ellipse(460, 410, 320, 260, wool, 14, texture)
    brush.ellipse(120, 440, 60, 90, wool, 0, texture)
    for x, y in CURLS:
        curl = [(x - 45, y), (x - 25, y + 50), (x + 25, y + 50), (x + 45, y)]
        brush.line(curl, 3, _darker(wool, 52))
    brush.ellipse(740, 280, 75, 50, _darker(face, 14))
    brush.ellipse(860, 350, 105, 165, face, 14)
    brush.ellipse(930, 440, 62, 80, face)
    brush.ellipse(810, 200, 110, 95, wool, 6, texture)
    brush.disc(870, 310, 36, (250, 250, 250))
    brush.disc(880, 315, 20, DARK)


def draw_horse(brush: Brush, chance: Chance) -> None:
    """Draw a horse: a smooth body on long legs, with mane and tail."""
    coats = ((146, 88, 52), (120, 66, 40), (188, 134, 82), (228, 218, 204), (150, 144, 142), (72, 58, 54))
    coat = chance.tint(chance.choose(coats), 8)
    hair = (238, 222, 180) if chance.percent(25) and sum(coat) < 480 else _darker(coat, 62)
    leg = max(5, brush.height // 13)
    hoof = (46, 38, 36)
    brush.line([(130, 380), (60, 480), (50, 700)], leg * 3 // 2, hair)
    for x, knee, tone in ((290, 270, 24), (640, 690, 24), (200, 180, 0), (580, 590, 0)):
        brush.line([(x, 560), (knee, 760), (knee + 10, 940)], leg, _darker(coat, tone))
        brush.line([(knee, 960), (knee + 30, 960)], leg, hoof)
    brush.ellipse(400, 480, 280, 170, coat, 20)
    brush.ellipse(220, 460, 120, 165, coat, 16)
    brush.polygon([(500, 400), (690, 110), (810, 160), (690, 540), (560, 600)], coat, 14)
    brush.polygon([(690, 90), (800, 80), (960, 270), (950, 340), (880, 350), (760, 240)], coat, 14)
    brush.polygon([(730, 110), (735, 0), (785, 100)], coat)
    brush.polygon([(710, 40), (650, 120), (520, 380), (480, 420), (600, 390), (700, 200), (740, 110)], hair, 10)
    brush.disc(800, 160, 24, DARK)
    brush.disc(925, 290, 14, _darker(coat, 60))
    if chance.percent(40):
        brush.polygon([(800, 110), (835, 125), (920, 250), (890, 250)], (246, 240, 230))


def draw_bird(brush: Brush, chance: Chance) -> None:
    """Draw a perching bird: round body, feathered wing, bright breast and beak."""
    backs = ((44, 108, 190), (196, 50, 50), (240, 190, 50), (124, 92, 70), (60, 150, 160), (110, 112, 130))
    back = chance.tint(chance.choose(backs), 10)
    breast = chance.choose(((240, 140, 60), (250, 236, 210), (250, 214, 110), (226, 96, 84)))
    wing = _darker(back, 44)
    for x in (520, 610):
        brush.line([(x, 800), (x + 15, 985)], SUB, (226, 150, 50))
    brush.polygon([(260, 560), (0, 760), (30, 880), (140, 880), (360, 700)], wing, 10)
    brush.line([(80, 830), (300, 650)], 3, back)
    brush.ellipse(500, 560, 300, 320, back, 14)
    brush.ellipse(580, 640, 210, 235, breast, 10)
    brush.ellipse(700, 290, 190, 240, back, 14)
    brush.polygon([(860, 230), (1000, 310), (865, 370)], (248, 176, 40))
    brush.ellipse(765, 390, 90, 90, breast)
    brush.polygon([(250, 440), (480, 380), (600, 520), (520, 720), (330, 780), (180, 720)], wing, 16)
    for x, y in ((280, 520), (290, 610), (300, 700)):
        brush.line([(x, y), (x + 90, y + 40), (x + 210, y - 10)], 3, back)
    brush.disc(760, 240, 60, (252, 252, 250))
    brush.disc(772, 244, 36, DARK)
