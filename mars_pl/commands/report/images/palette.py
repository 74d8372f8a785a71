"""Colours of the page's masks: saturated ones, that stand out on a grey image, and none near the biased magenta."""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.files.drawing import Picture, colours, heat
from datamodules.files.labels import BIASED

_GOLDEN = 0.618
_FIRST_HUE, _HUES = 25.0, 280.0
"""Degrees in OKLCH: the hues go round from red to violet and leave out those beside magenta, at 328."""
_LIGHTNESS = (0.65, 0.75, 0.55)
_YELLOW = 102.0
_CHROMA = 0.24

HATCH_GROUND = {"biased": (58, 0, 58), "ignored": (110, 110, 110)}
"""Between the stripes of what is no class."""


def class_colours(count: int) -> Picture:
    """Return a colour for each foreground class, neighbours in the list far apart: uint8, shape (count, 3).

    Evenly spread hues of OKLCH (Ottosson 2020) follow one another in steps of about a golden section; the chroma is the
    largest that the screen can show, up to 0.24, so that no class is grey.
    """
    places = np.arange(count)
    step = next(step for step in range(max(1, round(_GOLDEN * count)), count + 2) if gcd(step, count) == 1)
    rank = places * step % count
    hue = np.deg2rad(_FIRST_HUE + rank / max(count, 1) * _HUES)
    yellow = np.exp(-(((np.rad2deg(hue) - _YELLOW) / 30) ** 2))  # which is olive where it is dark
    lightness = np.array(_LIGHTNESS)[rank % len(_LIGHTNESS)] + 0.2 * yellow
    chroma = np.linspace(_CHROMA, 0, 49)[:, None]  # the first of them within the screen's gamut is taken
    linear = _linear_rgb(np.broadcast_to(lightness, (len(chroma), count)), chroma * np.cos(hue), chroma * np.sin(hue))
    shown = ((linear >= 0) & (linear <= 1)).all(axis=-1).argmax(axis=0)
    rgb = linear[shown, places].clip(0, 1)
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return (255 * encoded).round().astype(np.uint8)


def css(colour: NDArray[np.integer[Any]]) -> str:
    """Return a colour of three bytes as CSS writes it."""
    red, green, blue = (int(value) for value in colour)
    return f"rgb({red} {green} {blue})"


def class_css(count: int) -> list[str]:
    """Return the colours of all classes as CSS, the background transparent."""
    return ["transparent", *(css(colour) for colour in class_colours(count - 1))]


def biased_css() -> str:
    """Return the colour of biased pixels as CSS."""
    return css(colours()[BIASED])


def heat_css(stops: int = 9) -> str:
    """Return the colours of a similarity map from 0 to 1, as the stops of a CSS gradient."""
    values = np.linspace(0, 255, stops).round().astype(np.uint8)
    return ", ".join(css(colour) for colour in heat(values[None])[0])


def _linear_rgb(lightness: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKLab to linear sRGB, (…, 3)."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    return np.stack([red, green, blue], axis=-1)
