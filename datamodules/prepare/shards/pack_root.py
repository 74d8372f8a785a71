"""A prepared data set packed as a whole: images and masks into shards, lists and image labels beside their indexes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.about import ABOUT
from datamodules.files.class_names import CLASSES
from datamodules.files.image_labels import ANNOTATIONS, CLS_LABELS, IMAGE_LABELS
from datamodules.files.image_list import is_hidden
from datamodules.files.shards.place import FEW
from datamodules.files.shards.store import Store
from datamodules.files.tree import IMAGES, Tree
from datamodules.files.whole_file import make_folder, whole_file
from datamodules.prepare.shards.pack import folder_members, members_of, pack

BESIDE = (CLS_LABELS, IMAGE_LABELS, CLASSES)
"""Files that are copied."""

LISTS = "ImageSets"


def is_root(folder: Path) -> bool:
    """Tell whether a folder is a data set's and not one of images or masks."""
    return (folder / LISTS / "Segmentation").is_dir()


def pack_root(source: Path, place: str, root: Path, bound: float) -> dict[str, int]:
    """Pack a data set in VOC's layout, so that `root` stands for it.

    Args:
        source: the data set's folder, prepared.
        place: path or URL below which each folder gets its shards.
        root: folder here for lists, image labels and indexes; that of the place where it is a path.
        bound: MiB of a shard.

    Returns:
        Shards of each folder that was packed.

    Raises:
        DataError: where a list names an image that is not there, or as `pack` does.
    """
    store, counts = Store(place), {}
    remote = store.remote or Path(place).resolve() != root.resolve()
    for name, members in ((IMAGES, _images(source)), *((folder.name, None) for folder in _masks(source))):
        index = root / name if remote else None
        found = folder_members(source / name) if members is None else members_of(members)
        counts[name] = pack(found, store.address(name), name, bound, index)
        if (source / name / ABOUT).is_file():
            _copy(source / name / ABOUT, root / name / ABOUT)
    for name in BESIDE:
        if (source / name).is_file():
            _copy(source / name, root / name)
    for name in (LISTS, ANNOTATIONS):
        if (source / name).is_dir():
            shutil.copytree(source / name, root / name, dirs_exist_ok=True)
    return counts


def _images(source: Path) -> list[Path]:
    tree = Tree(source)
    ids = dict.fromkeys(image_id for split in tree.splits() for image_id in tree.ids(split))
    paths = []
    for image_id in ids:
        path = tree.image(image_id)
        if not isinstance(path, Path):
            raise DataError(f"{source / IMAGES}: holds shards already; name the folder that they were made of")
        if not path.is_file():
            raise DataError(f"{path}: no such image; fetch it or take it off the list")
        paths.append(path)
    return paths


def _masks(source: Path) -> Iterator[Path]:
    """Yield the folders of masks, scores and features: those that hold PNG or NumPy files and no image."""
    tree = Tree(source)
    first = next((image_id for split in tree.splits() for image_id in tree.ids(split)), None)
    images = None if first is None else tree.image(first)
    for folder in sorted(path for path in source.iterdir() if path.is_dir() and not is_hidden(Path(path.name))):
        if folder.name in (IMAGES, LISTS, ANNOTATIONS):
            continue
        if isinstance(images, Path) and images.is_relative_to(folder):
            continue
        if any(path.suffix in (".png", ".npz", ".npy") for path, _ in zip(folder.iterdir(), range(FEW), strict=False)):
            yield folder


def _copy(source: Path, target: Path) -> None:
    make_folder(target.parent)
    with whole_file(target) as partial:
        shutil.copyfile(source, partial)
