"""Scenes: generated pictures whose classes come with companions, the same pixel arrays for a seed on every machine."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from rich.progress import track

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.labels import write_label
from datamodules.processes import cores
from datamodules.synthetic.backgrounds import paint_background
from datamodules.synthetic.canvas import Bytes, Canvas
from datamodules.synthetic.chance import Chance
from datamodules.synthetic.companions import FIRST, World
from datamodules.synthetic.composition import classes_of, compose, compose_outside

Written = TypeVar("Written")

VAL_FROM = 50_000
"""Index of the first validation picture: they stay the same however many train pictures there are."""

LISTS = "ImageSets/Segmentation"
OUTSIDE_FROM = 100_000
"""Index of the first picture without an object: their backgrounds are no other picture's."""

FOLDERS = ("JPEGImages", "SegmentationClass", "SegmentationClassAug", "Companion", "Annotations", LISTS)


@dataclass(frozen=True)
class Scene:
    """A generated picture with its truth.

    Attributes:
        image: uint8 RGB of shape (H, W, 3).
        label: uint8 class ids of shape (H, W), 0 background.
        companion: uint8 of shape (H, W): the class whose companion a pixel shows, 0 none; never where an object is.
        classes: ids of the classes in the label, ascending.
    """

    image: Bytes
    label: Bytes
    companion: Bytes
    classes: tuple[int, ...]


def render(seed: int, index: int, world: World = FIRST) -> Scene:
    """Make picture ``index`` of the data set of ``seed``, without a file and without a floating-point number."""
    canvas, chance = Canvas(), Chance(seed, index, 0)
    horizon = paint_background(canvas, chance)
    compose(canvas, chance, classes_of(seed, index), horizon, world)
    image, label, companion = canvas.finish(chance, grain=6)
    return Scene(image, label, companion, tuple(int(code) for code in np.unique(label) if code))


def render_outside(seed: int, index: int) -> Scene:
    """Make a picture of companions alone, of the world of ``seed``; its label is background."""
    canvas, chance = Canvas(), Chance(seed, OUTSIDE_FROM + index, 0)
    horizon = paint_background(canvas, chance)
    compose_outside(canvas, chance, horizon)
    image, label, companion = canvas.finish(chance, grain=6)
    return Scene(image, label, companion, ())


@contextmanager
def whole_folder(folder: Path, name: str = "the pictures") -> Iterator[Path]:
    """Give a folder to write in that becomes ``folder`` at the end, so that it is there whole or not at all.

    Raises:
        DataError: where ``folder`` already holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: something is there already; remove it to generate {name} anew")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    yield part
    part.replace(folder)


def each_written(
    write: Callable[[int], Written], pictures: Sequence[int], processes: int, description: str
) -> Iterator[Written]:
    """Write pictures by their indices, in so many processes, under a progress bar; yield what each gives, in order."""
    with ProcessPoolExecutor(processes) if processes > 1 else nullcontext() as pool:
        written = pool.map(write, pictures, chunksize=20) if pool else map(write, pictures)
        yield from track(written, description=description, total=len(pictures))


def write_outside(folder: Path, seed: int = 0, pictures: int = 400) -> None:
    """Write pictures that show companions and no object, for W-OoD, whole or not at all.

    Raises:
        DataError: where ``folder`` already holds something.
    """
    with whole_folder(folder) as part:
        for index in track(range(pictures), description="Generating pictures without objects"):
            scene = render_outside(seed, index)
            Image.fromarray(scene.image).save(part / f"o{seed}_{index:05d}.jpg", quality=95, subsampling=0)


def write_scenes(
    root: Path, seed: int = 0, train: int = 800, val: int = 200, processes: int = 1, world: World = FIRST
) -> None:
    """Write the data set of ``seed`` in VOC's folder layout, whole or not at all.

    Beside VOC's folders there is ``Companion``, masks for measuring only. The files do not hang on ``processes``.

    Raises:
        DataError: where ``root`` already holds something, or ``train`` runs into the validation pictures.
    """
    if train > VAL_FROM:
        raise DataError(f"{root}: {train} train pictures asked for, Scenes has at most {VAL_FROM}; ask for fewer")
    splits = {"train": range(train), "val": range(VAL_FROM, VAL_FROM + val)}
    pictures = [index for split in splits.values() for index in split]
    with whole_folder(root, "Scenes") as part:
        for inner in FOLDERS:
            (part / inner).mkdir(parents=True)
        for _ in each_written(partial(_write_scene, part, seed, world), pictures, processes, "Generating Scenes"):
            pass
        for split, indices in splits.items():
            names = "".join(f"{_name(seed, index)}\n" for index in indices)
            for file in ("train", "train_aug") if split == "train" else ("val",):
                (part / LISTS / f"{file}.txt").write_text(names)


def _name(seed: int, index: int) -> str:
    return f"s{seed}_{index:05d}"


def _write_scene(root: Path, seed: int, world: World, index: int) -> None:
    name, scene = _name(seed, index), render(seed, index, world)
    Image.fromarray(scene.image).save(root / "JPEGImages" / f"{name}.jpg", quality=95, subsampling=0)
    write_label(root / "SegmentationClass" / f"{name}.png", scene.label)
    write_label(root / "SegmentationClassAug" / f"{name}.png", scene.label)
    write_label(root / "Companion" / f"{name}.png", scene.companion)
    (root / "Annotations" / f"{name}.xml").write_text(_annotation(name, scene))


def _annotation(name: str, scene: Scene) -> str:
    """Return VOC's XML: one object a class, its box around all of the class, counted from 1."""
    height, width = scene.label.shape
    objects = []
    for code in scene.classes:
        rows, columns = np.nonzero(scene.label == code)
        corners = {"xmin": columns.min(), "ymin": rows.min(), "xmax": columns.max(), "ymax": rows.max()}
        box = "".join(f"<{corner}>{int(value) + 1}</{corner}>" for corner, value in corners.items())
        objects.append(f"<object><name>{CLASS_NAMES['scenes'][code]}</name><bndbox>{box}</bndbox></object>")
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>{name}.jpg</filename>{size}{''.join(objects)}</annotation>\n"


if __name__ == "__main__":
    write_scenes(Path(sys.argv[1]), processes=cores())
