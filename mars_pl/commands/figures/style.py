"""The look of the figures: the report's colours, plain axes, and files that are the same each time they are written."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image

from datamodules.files.drawing import Picture, heat
from datamodules.files.labels import Label
from datamodules.files.whole_file import whole_file
from mars_pl.commands.report.images.pictures import mask_picture
from mars_pl.commands.report.template import ASSETS

DPI = 150
WIDTH = 9.0
"""Inches: a figure over both columns of a page, enlarged by a quarter."""

OVER = 0.72
"""How much of a class's colour covers the image."""


@cache
def colours() -> dict[str, str]:
    """Return the report's colours in light mode by their names in its style sheet, ``before`` and ``target`` say."""
    root = re.search(r":root\s*{(.*?)}", (ASSETS / "page.css").read_text(encoding="utf-8"), re.DOTALL)
    return dict(re.findall(r"--([a-z]+):\s*(#[0-9a-f]{6})", root[1] if root else ""))


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save within it."""
    shown = colours()
    settings: dict[str, Any] = {
        "font.size": 9, "axes.titlesize": 9.5, "axes.labelsize": 9, "xtick.labelsize": 8.5, "ytick.labelsize": 8.5,
        "legend.fontsize": 8.5, "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False,
        "axes.edgecolor": shown["soft"], "axes.labelcolor": shown["ink"], "text.color": shown["ink"],
        "xtick.color": shown["soft"], "ytick.color": shown["soft"], "xtick.labelcolor": shown["ink"],
        "ytick.labelcolor": shown["ink"], "axes.axisbelow": True, "grid.color": shown["rule"], "grid.linewidth": 0.8,
        "svg.hashsalt": "mars",  # the same names within the file each time
    }  # fmt: skip
    with rc_context(settings):
        yield


def blank(width: float = WIDTH, height: float = 3.0) -> Figure:
    """Return an empty figure, in inches; no window and no state is shared with others."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format of its suffix, without the time of writing."""
    kind = path.suffix[1:]
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure.draw_without_rendering()  # the layout is right once it has seen the words along the axes
    with whole_file(path) as partial:
        figure.savefig(partial, format=kind, dpi=DPI, facecolor="white", metadata=metadata[kind])


def heat_map() -> ListedColormap:
    """Return the report's colours of a map, dark to pale."""
    return ListedColormap(heat(np.arange(256, dtype=np.uint8)[None])[0] / 255, name="heat")


def overlaid(image: Picture, label: Label, num_classes: int) -> Picture:
    """Lay a label in the report's colours over the image in grey: uint8 (H, W, 3).

    Args:
        image: uint8 (H, W, 3).
        label: (H, W) with the codes of label files; biased and ignored pixels are hatched.
        num_classes: with the background.
    """
    content = mask_picture(label, num_classes, longer_side=max(label.shape))
    mask = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"), dtype=np.float32)
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2) * 0.92 + 20
    share = OVER * mask[..., 3:] / 255
    return ((1 - share) * grey + share * mask[..., :3]).round().clip(0, 255).astype(np.uint8)


def patches(names: Sequence[str], shades: Sequence[str | NDArray[Any]]) -> list[Patch]:
    """Return squares of a legend."""
    return [Patch(facecolor=shade, label=name) for name, shade in zip(names, shades, strict=True)]
