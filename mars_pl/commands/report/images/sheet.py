"""What MARS removed and gave back, at a glance: a row an image, a column a label, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from datamodules.files.drawing import blend, shown, with_names
from datamodules.files.labels import read_label
from datamodules.files.whole_file import whole_file
from mars_pl.commands.report.images.pictures import read_image
from mars_pl.commands.report.images.sets import ImageSet, Layer

COLUMNS = {
    "pseudo": "before: pseudo label",
    "debiased": "debiased label, removed in magenta",
    "complemented": "after: complemented label",
}
"""Headings by the keys of the layers."""

WIDTH, GAP, HEADING = 288, 8, 30
"""Pixels of a picture's width, between pictures, and of the line above them."""


def write_sheet(path: Path, images: ImageSet, ids: Sequence[str]) -> None:
    """Write a PNG of 256 colours: each image, its pseudo label, debiased label and complemented label.

    Args:
        path: the file.
        images: whose layers are drawn, those of `COLUMNS` that it has.
        ids: of the images, a row each.

    Raises:
        DataError: where an image or a label cannot be read.
    """
    layers = [layer for key in COLUMNS for layer in images.layers if layer.key == key]
    rows = [_row(images, layers, image_id) for image_id in ids]
    columns, height = len(layers) + 1, sum(cells[0].height + GAP for cells in rows)
    sheet = Image.new("RGB", (columns * (WIDTH + GAP) - GAP, HEADING + height - GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for column, heading in enumerate(["image", *(COLUMNS[layer.key] for layer in layers)]):
        pen.text((column * (WIDTH + GAP) + 1, 7), heading, fill="black", font=font)
    top = HEADING
    for cells in rows:
        for column, cell in enumerate(cells):
            sheet.paste(cell, (column * (WIDTH + GAP), top))
        top += cells[0].height + GAP
    with whole_file(path) as partial:
        sheet.quantize(256, dither=Image.Dither.NONE).save(partial, format="PNG", optimize=True)


def _row(images: ImageSet, layers: Sequence[Layer], image_id: str) -> list[Image.Image]:
    picture = Image.fromarray(read_image(images.tree.image(image_id)))
    size = (WIDTH, max(1, round(picture.height * WIDTH / picture.width)))
    larger = picture.width < WIDTH  # the pixels of a small image stay crisp
    image = picture.resize(size, Image.Resampling.NEAREST if larger else Image.Resampling.LANCZOS)
    cells = [image]
    for layer in layers:
        path = layer.folder / f"{image_id}.png"
        if not path.is_file():  # the list may be longer than what was complemented
            cells.append(image)
            continue
        label = np.array(Image.fromarray(shown(read_label(path))).resize(size, Image.Resampling.NEAREST))
        cells.append(Image.fromarray(with_names(blend(np.array(image), label), label, images.class_names)))
    return cells
