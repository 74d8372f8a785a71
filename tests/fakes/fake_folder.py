"""A tiny folder of one's own: images of three kinds, in a subfolder too, a table, class names, perhaps masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from datamodules.files.labels import as_label, write_label

CLASSES = ("cup", "teddy bear", "lamp")
COLOURS = ((220, 40, 40), (40, 200, 60), (50, 70, 230))
PLACES = ("a.jpg", "b.png", "shelf/c.jpeg", "shelf/d.JPG", "e.jpg", "f.png", "shelf/g.jpg", "h.jpg")


def make_own_folder(root: Path, masks: bool = True, val: bool = True, absent: int = 0) -> list[str]:
    """Write images, classes.txt, labels.csv and perhaps masks and val.txt (the last two); returns the image ids.

    So many class names stand before those that are seen as `absent` says: more than 250 make labels of 16 bits.
    """
    rng = np.random.default_rng(0)
    rows = ["image,classes"]
    for index, place in enumerate(PLACES):
        height, width = (int(side) for side in rng.integers(40, 65, size=2))
        image = rng.integers(90, 130, size=(height, width, 3)).astype(np.uint8)
        mask = np.zeros((height, width), int)
        shown = [index % 3] if index % 3 != 2 else [0, 2]
        for slot, which in enumerate(shown):
            there = np.s_[5 : 5 + 14, 4 + 18 * slot : 4 + 18 * slot + 14]
            image[there], mask[there] = COLOURS[which], absent + which + 1
        path = root / "images" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
        if masks:
            (root / "masks").mkdir(exist_ok=True)
            write_label(root / "masks" / f"{path.stem}.png", as_label(mask, 1 + absent + len(CLASSES)))
        rows.append(f"{place},{';'.join(CLASSES[which] for which in shown)}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    names = [*(f"thing {index}" for index in range(absent)), *CLASSES]
    (root / "classes.txt").write_text("\n".join(names) + "\n")
    if val:
        (root / "val.txt").write_text("shelf/g.jpg\nh\n")
    return [Path(place).stem for place in PLACES]
