"""Draw the picture of the README: `python tools/draw_before_after.py RUN TARGET ID [ID …]`, after `mars run demo`.

Each row is an image of the training list: the image, the pseudo label Yᵇ, the debiased label Yᵈᵇ (biased pixels
hatched in magenta) and the complemented label Yᶜᵒ, in the colours of the report.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from datamodules.files.drawing import blend, shown
from datamodules.files.labels import read_label
from datamodules.files.tree import Tree, read_image
from mars_pl.commands.report.run import Run, open_run

COLUMNS = {
    "": "image",
    "pseudo": "before: pseudo label Yᵇ",
    "debiased": "debiased label Yᵈᵇ",
    "complemented": "after: complemented label Yᶜᵒ",
}
"""Headings by the label folders that the run's manifest names."""

ENLARGED, GAP, HEADING = 2, 8, 30
"""How many pixels a pixel becomes on each side; pixels between pictures, and of the line above them."""


def draw(run: Run, ids: Sequence[str]) -> Image.Image:
    """Return a row an image and a column a label, with headings."""
    tree = Tree(run.root)
    rows = [[_cell(run, tree, image_id, name) for name in COLUMNS] for image_id in ids]
    width, height = rows[0][0].width + GAP, rows[0][0].height + GAP
    sheet = Image.new("RGB", (len(COLUMNS) * width - GAP, HEADING + len(ids) * height - GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.truetype(findfont("DejaVu Sans"), 14)
    for column, heading in enumerate(COLUMNS.values()):
        pen.text((column * width + 1, 7), heading, fill="black", font=font)
        for row, cells in enumerate(rows):
            sheet.paste(cells[column], (column * width, HEADING + row * height))
    return sheet


def _cell(run: Run, tree: Tree, image_id: str, name: str) -> Image.Image:
    image = read_image(tree.image(image_id)).permute(1, 2, 0).numpy()
    folder = run.labels(name)
    if folder is not None:
        image = blend(image, shown(read_label(folder / f"{image_id}.png")))
    picture = Image.fromarray(image)
    return picture.resize((picture.width * ENLARGED, picture.height * ENLARGED), Image.Resampling.NEAREST)


def main() -> None:
    """Draw, and write as PNG of 256 colours."""
    parser = argparse.ArgumentParser(description="Images before and after MARS.")
    parser.add_argument("run", help="a run's folder, or its name under runs/")
    parser.add_argument("target", type=Path, help="PNG file")
    parser.add_argument("ids", nargs="+", help="of images of one size")
    arguments = parser.parse_args()
    sheet = draw(open_run(arguments.run), arguments.ids)
    sheet.quantize(256, dither=Image.Dither.NONE).save(arguments.target, optimize=True)


if __name__ == "__main__":
    main()
