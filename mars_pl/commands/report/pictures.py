"""The gallery of a run: each picture as image, truth, labels and similarity map side by side."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.drawing import Picture, blend, colours, heat, shown
from datamodules.files.image_file import open_image
from datamodules.files.labels import BIASED, codes_in, read_label
from datamodules.files.tree import Tree
from mars_pl.commands.report.choice import Removal, choose, removals
from mars_pl.commands.report.run import Run

_LONGER_SIDE = 320
_COLUMNS = (
    ("image", "image"),
    ("truth", "truth"),
    ("pseudo", "Yᵇ pseudo label"),
    ("similarity", "similarity to 𝒱ᶜ"),
    ("debiased", "Yᵈᵇ debiased label"),
    ("complemented", "Yᶜᵒ complemented"),
    ("prediction", "prediction"),
)


@dataclass(frozen=True)
class Strip:
    """One picture of the gallery: data URIs in the order of the columns, None where a file is missing."""

    image_id: str
    classes: tuple[int, ...]
    ignored: bool
    share: float
    cells: tuple[str | None, ...]


@dataclass(frozen=True)
class Gallery:
    """The pictures with the most removed pixels, then some with little.

    Attributes:
        columns: what each cell of a strip shows.
        most: with the most removed pixels.
        little: with the smallest removed share.
        images: out of how many they were chosen.
        with_map: whether only those with a similarity map were to choose from.
        classes: those that are seen in any of them.
        ignored: whether ignored pixels are.
    """

    columns: tuple[str, ...]
    most: tuple[Strip, ...]
    little: tuple[Strip, ...]
    images: int
    with_map: bool
    classes: tuple[int, ...]
    ignored: bool


def gallery(run: Run, count: int) -> Gallery | None:
    """Draw the gallery, None where the run has not got pseudo and debiased labels or none is asked for."""
    pseudo, debiased = run.labels("pseudo"), run.labels("debiased")
    if pseudo is None or debiased is None or count < 1:
        return None
    removed = removals(pseudo, debiased)
    if not removed:
        return None
    mapped = _with_map(run, removed)
    with_map = len(mapped) >= count
    removed = mapped if with_map else removed
    most, little = choose(removed, count)
    folders = {name: run.labels(name) for name, _ in _COLUMNS if name not in ("image", "truth")}
    folders["image"], folders["truth"] = run.root, truth_folder(run.root)
    columns = [(name, words) for name, words in _COLUMNS if (folder := folders[name]) is not None and folder.is_dir()]
    tree = Tree(run.root)
    strips = {
        item.image_id: _strip(item, [(name, folders[name]) for name, _ in columns], tree) for item in [*most, *little]
    }
    classes = sorted({index for strip in strips.values() for index in strip.classes})
    return Gallery(
        tuple(words for _, words in columns),
        tuple(strips[item.image_id] for item in most),
        tuple(strips[item.image_id] for item in little),
        len(removed),
        with_map and len(mapped) > 0,
        tuple(classes),
        any(strip.ignored for strip in strips.values()),
    )


def _with_map(run: Run, removed: Sequence[Removal]) -> list[Removal]:
    """Those whose similarity map was written: the debias stage may write the first ones only."""
    folder = run.labels("similarity")
    return [item for item in removed if folder is not None and (folder / f"{item.image_id}.png").is_file()]


def truth_folder(root: Path) -> Path | None:
    """Return where the truth masks lie, the augmented ones where there are any, None where there is no truth."""
    folders = (root / "SegmentationClassAug", root / "SegmentationClass", root / "masks")
    return next((folder for folder in folders if folder.is_dir()), None)


def _strip(item: Removal, folders: Sequence[tuple[str, Path | None]], tree: Tree) -> Strip:
    image = read_image(tree.image(item.image_id))
    cells: list[str | None] = []
    classes: set[int] = set()
    ignored = False
    for name, folder in folders:
        path = folder / f"{item.image_id}.png" if folder is not None else None
        if name == "image":
            cells.append(_uri(_fit(image)))
        elif path is None or not path.is_file():
            cells.append(None)
        elif name == "similarity":
            cells.append(_uri(heat(_fit(shown(read_label(path))))))
        else:
            label = read_label(path)
            if label.shape != image.shape[:2]:
                raise DataError(f"{path}: is {label.shape}, its image {image.shape[:2]}; are both of one data set?")
            codes = codes_in(label)
            classes |= {int(index) for index in np.unique(label) if 0 < index < codes.biased}
            ignored |= bool((label == codes.ignored).any())
            cells.append(_uri(blend(_fit(image), _fit(shown(label), crisp=True))))
    return Strip(item.image_id, tuple(sorted(classes)), ignored, item.share, tuple(cells))


def read_image(path: Path) -> Picture:
    """Read an image as uint8 (H, W, 3), RGB.

    Raises:
        DataError: where it is missing or cannot be read.
    """
    try:
        with open_image(path) as image:
            return np.array(image.convert("RGB"), dtype=np.uint8)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read as an image ({type(error).__name__}); is `root` in run.json right?"
        ) from None


def _fit(picture: Picture, crisp: bool = False) -> Picture:
    """Scale a picture so that its longer side is that of the gallery; a label keeps its codes."""
    image = Image.fromarray(picture)
    scale = _LONGER_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.array(image.resize(size, Image.Resampling.NEAREST if crisp else Image.Resampling.BICUBIC), dtype=np.uint8)


def _uri(picture: Picture) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=84, subsampling=0, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def chip(index: int | None) -> str:
    """Return the CSS colour in which a class is drawn; None is what is biased."""
    code = BIASED if index is None else int(shown(np.array([index], dtype=np.uint16))[0])
    red, green, blue = (int(value) for value in colours()[code])
    return f"rgb({red} {green} {blue})"
