"""What the page's scripts are told of the images; their pictures lie beside the page, or within it where few."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from mars_pl.commands.file_loop import each_image
from mars_pl.commands.report.images.choice import LITTLE_REMOVED
from mars_pl.commands.report.images.figures import Measured
from mars_pl.commands.report.images.palette import biased_css, class_css, heat_css
from mars_pl.commands.report.images.pictures import SUFFIXES, as_uri, draw_layer, image_picture, read_image
from mars_pl.commands.report.images.sets import TITLES, ImageSet
from mars_pl.commands.report.images.strips import pictured, strips

EMBEDDED = 60
"""Images up to which the pictures lie within the page."""


def page_images(sets: Sequence[ImageSet], folder: Path, gallery: int, pictures: int) -> dict[str, Any]:
    """Measure and draw the images.

    Args:
        sets: the images, see `image_sets`.
        folder: for the pictures, beside the page, where they are many; made anew.
        gallery: how many images are shown by what was removed.
        pictures: of how many images of a set pictures are kept.

    Returns:
        Numbers and names alone, as JSON has them.

    Raises:
        DataError: where an image or a label is at fault, or the folder holds something else.
    """
    _refuse_others(folder)
    measured = [images.measure() for images in sets]
    shown = [strips(images, found.images, gallery) for images, found in zip(sets, measured, strict=True)]
    kept = [
        pictured(images, found.images, shown_, pictures)
        for images, found, shown_ in zip(sets, measured, shown, strict=True)
    ]
    beside = folder if sum(map(len, kept)) > EMBEDDED else None
    partial_folder = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(partial_folder, ignore_errors=True)
    told = [
        _told(images, found, strips_, places, partial_folder / images.title if beside else None)
        for images, found, strips_, places in zip(sets, measured, shown, kept, strict=True)
    ]
    shutil.rmtree(folder, ignore_errors=True)  # those of an earlier page
    if beside is not None:
        partial_folder.rename(folder)
    names = sets[0].class_names if sets else ()
    return {
        "classes": names,
        "colours": class_css(max(1, len(names))),
        "biased": biased_css(),
        "heat": heat_css(),
        "little": LITTLE_REMOVED,
        "place": beside.name if beside is not None else None,
        "sets": told,
    }


def _refuse_others(folder: Path) -> None:
    """What is not a page's pictures is not removed for them."""
    others = sorted(path.name for path in folder.iterdir() if path.name not in TITLES) if folder.is_dir() else []
    if others:
        raise DataError(f"{folder}: is for the page's pictures and holds {others[0]}; move it, or name another page")


def _told(
    images: ImageSet,
    found: Measured,
    shown: Sequence[dict[str, Any]],
    kept: set[int],
    folder: Path | None,
) -> dict[str, Any]:
    measured = found.images
    classes = images.classes(measured)
    drawn = _pictures(images, [images.ids[index] for index in sorted(kept)], folder)
    layers = [{"key": "image", "title": "image", "kind": "image", "suffix": SUFFIXES["image"]}]
    layers += [
        {"key": layer.key, "title": layer.title, "kind": layer.kind, "suffix": SUFFIXES[layer.kind]}
        for layer in images.layers
    ]
    keys = [layer.key for layer in images.masks]
    also = [sorted(set(image.drawn) - set(own)) for image, own in zip(measured, classes, strict=True)]
    return {
        "title": images.title,
        "split": images.split,
        "layers": layers,
        "judged": images.judged.keys[0],
        "judgements": [{"title": one.title, "keys": one.keys, "names": one.names} for one in images.judgements],
        "ids": images.ids,
        "classes": classes,
        "also": also,
        "figures": {key: [_rounded(image.figures.get(key)) for image in measured] for key in keys},
        "removed": [None if image.removal is None else round(image.removal.share, 4) for image in measured],
        "restored": [None if image.restored is None else round(image.restored, 4) for image in measured],
        "pictures": [drawn.get(image_id) for image_id in images.ids],
        "confusion": {key: total.tolist() for key, total in found.confusion.items()},
        "strips": [strip for strip in shown if strip["images"]],
    }


def _pictures(images: ImageSet, ids: Sequence[str], folder: Path | None) -> dict[str, list[str | int]]:
    """Draw the pictures of some images; of each, its own and that of every layer: a URI, 1 for a file, 0 for none."""
    draw = partial(_draw, images, folder)
    return dict(zip(ids, each_image(draw, ids, f"drawing {images.title}"), strict=True))


def _draw(images: ImageSet, folder: Path | None, image_id: str) -> list[str | int]:
    picture = read_image(images.tree.image(image_id))
    contents: list[tuple[str, str, bytes | None]] = [("image", SUFFIXES["image"], image_picture(picture))]
    for layer in images.layers:
        content = draw_layer(layer, image_id, picture.shape[:2], len(images.class_names))
        contents.append((layer.key, SUFFIXES[layer.kind], content))
    return [_kept(folder, key, image_id, suffix, content) for key, suffix, content in contents]


def _kept(folder: Path | None, key: str, image_id: str, suffix: str, content: bytes | None) -> str | int:
    if content is None:
        return 0
    if folder is None:
        return as_uri(content, suffix)
    with whole_file(folder / key / f"{image_id}.{suffix}") as path:
        path.write_bytes(content)
    return 1


def _rounded(figures: Sequence[float | None] | None) -> list[float | None] | None:
    return None if figures is None else [None if value is None else round(value, 4) for value in figures]
