"""An export written as a folder of one's own: images, class names, image labels, lists and masks."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datamodules.errors import DataError
from datamodules.files.class_names import CLASSES, checked_names
from datamodules.files.image_folder import files_below
from datamodules.files.image_list import SUFFIXES, bare_id, is_hidden
from datamodules.files.image_size import image_shape
from datamodules.files.labels import as_label, write_label
from datamodules.prepare.coco_annotations import checked_shape
from datamodules.prepare.coco_masks import region_of
from datamodules.prepare.folder_images import IMAGES
from datamodules.prepare.folder_tables import TABLES
from datamodules.prepare.imports.export import Export, ExportedImage, Region
from datamodules.prepare.imports.kinds import read_export
from datamodules.prepare.imports.label_studio import uploaded_name
from datamodules.prepare.preparing import disk_faults, list_text, says, table_text, write_whole

MASKS = "masks"


class Counts(NamedTuple):
    """What an import wrote.

    Attributes:
        kind: of the export.
        images: that have labels.
        masks: that were drawn.
        skipped: images that nobody annotated.
        shown: class → images that show it.
    """

    kind: str
    images: int
    masks: int
    skipped: int
    shown: Mapping[str, int]


def import_folder(root: Path, source: Path, kind: str | None = None, images: Path | None = None) -> Counts:
    """Write what a program exported as a folder of one's own.

    Args:
        root: the folder; made where it is absent.
        source: the export.
        kind: see `read_export`.
        images: folder of the images; by default where the export says, or ``root/images``, or the export's folder.

    Raises:
        DataError: where the export is at fault, an image is missing, or the folder has another table already.
    """
    kind, export = read_export(source, kind)
    names = checked_names(["background", *export.class_names])
    files = _files(export, [images] if images else [root / IMAGES, source if source.is_dir() else source.parent])
    places = _places(root, files)
    labels = {places[image.place]: list(image.names) for image in export.images}
    lists = {split: [places[one.place] for one in export.images if one.split == split] for split in ("val", "test")}
    texts = {CLASSES: list_text(export.class_names), TABLES[1]: table_text(labels)}
    texts |= {f"{split}.txt": list_text(ids) for split, ids in lists.items() if ids}
    for name in (*TABLES, *texts):
        path = root / name
        if path.is_file() and (name not in texts or not says(path, texts[name])):
            raise DataError(f"{path}: says something else than {source}; move it away or name another folder")
    with disk_faults(root):
        root.mkdir(parents=True, exist_ok=True)
        for image in export.images:
            _link(files[image.place], root / IMAGES / places[image.place])
        drawn = sum(_draw(root, places[image.place], image, names, source) for image in export.images)
        for name, text in texts.items():
            write_whole(root / name, text)
    shown = Counter(name for image in export.images for name in image.names)
    return Counts(kind, len(labels), drawn, export.skipped, {name: shown[name] for name in export.class_names})


def _files(export: Export, folders: Sequence[Path]) -> dict[str, Path]:
    """Where each image lies: where the export says, at its place in a folder, or anywhere below by its name alone."""
    by_name: dict[str, list[Path]] = {}
    for path in (path for folder in folders if folder.is_dir() for path in files_below(folder)):
        if path.suffix.lower() in SUFFIXES and not is_hidden(Path(path.name)):
            by_name.setdefault(path.name, []).append(path)
    found: dict[str, Path] = {}
    for image in export.images:
        there = [image.file] if image.file else [folder / image.place for folder in folders]
        name = image.place.rsplit("/", 1)[-1]
        there += by_name.get(name, []) or by_name.get(uploaded_name(name), [])
        file = next((path for path in there if path.is_file()), None)
        if file is None:
            where = " or ".join(map(str, folders))
            raise DataError(f"{image.place}: no such image below {where}; put it there, or --images names its folder")
        if image.place in found:
            raise DataError(f"{image.place}: is in the export twice; take one out")
        found[image.place] = file
    return found


def _places(root: Path, files: Mapping[str, Path]) -> dict[str, str]:
    """The path below images/ of each image: its own where it lies there, else its name; ids are each's own."""
    inside = (root / IMAGES).resolve()
    places: dict[str, str] = {}
    owner: dict[str, Path] = {}
    for place, path in files.items():
        real = path.resolve()
        target = real.relative_to(inside).as_posix() if real.is_relative_to(inside) else path.name
        other = owner.setdefault(bare_id(target), path)
        if other != path:
            raise DataError(f"{path}: called like {other}; each image needs a name of its own, suffixes not counted")
        places[place] = target
    return places


def _link(path: Path, target: Path) -> None:
    """Leave an image below images/: the same file where the disk can, or else a copy."""
    if target.exists() and (target.samefile(path) or target.read_bytes() == path.read_bytes()):
        return
    if target.exists():
        raise DataError(f"{target}: is there and another image than {path}; move it away")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path.resolve(), target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(path, target)


def _draw(root: Path, place: str, image: ExportedImage, names: Sequence[str], source: Path) -> bool:
    """Draw the mask of an image whose objects all have their shapes; later ones cover earlier ones."""
    if not image.regions:
        return False
    height, width = image_shape(root / IMAGES / place)
    mask = np.zeros((height, width), dtype=np.int64)
    for one in image.regions:
        try:
            mask[region_of(checked_shape(_in_pixels(one, height, width), height, width), height, width)] = names.index(
                one.name
            )
        except DataError as error:
            raise DataError(f"{source}: {image.place}: {error}") from None
    (root / MASKS).mkdir(exist_ok=True)
    write_label(root / MASKS / f"{bare_id(place)}.png", as_label(mask, len(names)))
    return True


def _in_pixels(one: Region, height: int, width: int) -> object:
    if not one.relative or isinstance(one.shape, dict):
        return one.shape
    return [[value * (height if index % 2 else width) for index, value in enumerate(polygon)] for polygon in one.shape]
