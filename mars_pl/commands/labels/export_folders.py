"""Labels in the folders that DHR and mmsegmentation train from."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.about import write_about
from datamodules.files.labels import label_codes, write_label
from datamodules.files.text_file import read_text
from datamodules.files.whole_file import whole_file
from mars_pl.commands.file_loop import each_image, image_ids
from mars_pl.commands.labels.label_folder import LabelFolder, claim, passed_on
from mars_pl.commands.labels.options import chosen_classes


def run(options: argparse.Namespace) -> None:
    """Export the kinds `dhr` and `mmseg`; raises DataError where labels or the target are at fault."""
    num_classes, _ = chosen_classes(options)
    if label_codes(num_classes).bits != 8:
        raise DataError(f"{options.kind}: reads labels of 8 bits, {num_classes} classes want 16; merge some first")
    ids = image_ids(options.list, options.source, ".png")
    read = LabelFolder(options.source, num_classes, options.biased)
    if options.kind == "dhr":
        folder = options.target / options.dataset / options.method / options.domain
    else:
        folder = options.target / options.folder
    if folder.resolve() == options.source.resolve():
        raise DataError(f"{folder}: is source and target at once; name another target")
    claim(folder)
    if options.kind == "mmseg":
        _write_list(options.target / "ImageSets" / "Segmentation" / f"{options.split}.txt", ids)
        if options.images is not None:
            _link(options.target / "JPEGImages", options.images)
    write_about(folder, **passed_on(options.source, f"labels of {options.source}, 254 as {options.biased}"))
    done = sum(1 for _ in each_image(_Write(read, folder), ids, "exporting", options.workers))
    print(f"{done:,} labels in {folder}")


@dataclass(frozen=True)
class _Write:
    """Writes one image's label with the other project's codes."""

    read: LabelFolder
    folder: Path

    def __call__(self, image_id: str) -> None:
        write_label(self.folder / f"{image_id}.png", self.read(image_id))


def _write_list(path: Path, ids: Sequence[str]) -> None:
    """Write a list of image ids; one that is there with other ids is not ours to replace."""
    text = "".join(f"{image_id}\n" for image_id in ids)
    if path.is_file() and read_text(path) != text:
        raise DataError(f"{path}: is there and lists other images; choose another --split")
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _link(link: Path, images: Path) -> None:
    """Make `JPEGImages` a link to the images, where nothing of that name is there."""
    if not images.is_dir():
        raise DataError(f"{images}: no such folder; name that of the images by --images")
    if not link.exists():
        link.symlink_to(images.resolve(), target_is_directory=True)
    elif link.resolve() != images.resolve():
        raise DataError(f"{link}: is there and holds other images than {images}; leave --images away")
