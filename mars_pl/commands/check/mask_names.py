"""Files in a folder of masks that are the mask of no image, because they are called otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from datamodules.contradictions import OFTEN
from datamodules.faults import Fault
from datamodules.files.image_list import SUFFIXES, bare_id, is_hidden
from datamodules.files.shards.place import File
from datamodules.files.tree import Tree


def stray_masks(folder: Path, tree: Tree, listed: Collection[str]) -> list[Fault]:
    """Return the files of a folder of masks that belong to no image; a few among many are notes.

    Args:
        folder: of the masks, whether it is there or not.
        tree: of the images.
        listed: image ids, whose images are missed elsewhere where they are not there.
    """
    if folder.is_file():
        return [Fault("masks", folder.name, f"{folder}: is a file; a folder of masks is meant")]
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not _hidden(path))
    masks = {f"{image_id}.png" for image_id in listed}
    strays = [name for name in names if name not in masks and not _is_mask(name, tree)]
    note = len(strays) <= OFTEN * len(names)
    faults = [Fault("mask of no image", name, _told(folder / name, tree), note) for name in strays]
    return faults + list(_in_subfolders(folder, masks))


def _in_subfolders(folder: Path, masks: Collection[str]) -> Iterator[Fault]:
    """Yield what is called like a mask that is not there and lies in a sub-folder, as its image may."""
    for path in sorted(path for path in folder.glob("*/**/*.png") if not is_hidden(path.relative_to(folder))):
        if path.name in masks and not (folder / path.name).is_file():
            text = f"{path}: masks are not looked for in sub-folders; move it up to {folder}"
            yield Fault("mask in a sub-folder", path.name, text)


def masks_elsewhere(folder: Path, tree: Tree, ids: Sequence[str]) -> Iterator[Fault]:
    """Yield folders beside one that is not there which hold files called as masks are."""
    if folder.is_dir() or not folder.parent.is_dir():
        return
    for other in sorted(path for path in folder.parent.iterdir() if path.is_dir()):
        count = sum((other / f"{image_id}.png").is_file() for image_id in ids)
        if count and not any(_lies_in(tree.image(image_id), other) for image_id in ids[:1]):
            text = f"{folder}: no such folder, but {other.name} holds {count:,} files called as masks are; rename it"
            yield Fault("masks in another folder", other.name, f"{text} if they are true masks", note=True)


def _lies_in(image: File, folder: Path) -> bool:
    return isinstance(image, Path) and image.is_relative_to(folder)


def _hidden(path: Path) -> bool:
    return is_hidden(Path(path.name))


def _is_mask(name: str, tree: Tree) -> bool:
    return name.endswith(".png") and tree.image(name.removesuffix(".png")).is_file()


def _told(path: Path, tree: Tree) -> str:
    image_id = bare_id(path.name)
    if tree.image(image_id).is_file():
        return f"{path}: is not called as the mask of {tree.image(image_id).name} has to be; call it {image_id}.png"
    return f"{path}: no image is called {image_id}; a mask is called like its image, with .png"
