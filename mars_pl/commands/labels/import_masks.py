"""Masks of other projects become label files."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from datamodules.contradictions import Shown
from datamodules.errors import DataError
from datamodules.faults import Fault
from datamodules.files.about import write_about
from datamodules.files.image_folder import ImageFolder
from datamodules.files.image_size import check_size
from datamodules.files.labels import write_label
from datamodules.files.tree import Tree
from datamodules.foreign.masks import dhr_folder, read_foreign_mask
from mars_pl.commands.file_loop import each_image, image_ids
from mars_pl.commands.labels.against_labels import contradictions, shown_in, tell
from mars_pl.commands.labels.label_folder import claim, passed_on
from mars_pl.commands.labels.options import chosen_classes


def run(options: argparse.Namespace) -> None:
    """Import the kinds `png` and `dhr`; raises DataError where files or options are at fault."""
    num_classes, _ = chosen_classes(options)
    folder = options.source
    if options.kind == "dhr":
        folder = dhr_folder(folder, options.dataset, options.method, options.domain)
    ids = image_ids(options.list, folder, ".png")
    if options.target.resolve() == folder.resolve():
        raise DataError(f"{options.target}: is source and target at once; name another target")
    shown = shown_in(options, ids)
    target = claim(options.target)
    images = None if options.images is None else ImageFolder(options.images)
    write_about(target, **passed_on(folder, f"{options.kind} masks of {folder}"))
    tree = None if options.root is None else Tree(options.root)
    convert = _Convert(
        folder, num_classes, options.ignore, getattr(options, "coco_ids", False), images, tree, target, shown
    )
    done = list(each_image(convert, ids, "importing", options.workers))
    print(f"{len(done):,} labels in {target}")
    tell(done)


@dataclass(frozen=True)
class _Convert:
    """Reads one mask and writes it as ours; returns what contradicts its image's label."""

    folder: Path
    num_classes: int
    ignored: tuple[int, ...]
    coco_ids: bool
    images: ImageFolder | None
    tree: Tree | None
    target: Path
    shown: Shown | None

    def __call__(self, image_id: str) -> list[Fault]:
        path = self.folder / f"{image_id}.png"
        mask = read_foreign_mask(path, self.num_classes, self.ignored, self.coco_ids)
        if self.images is not None:
            check_size(path, mask.shape, self.images.path(image_id))
        elif self.tree is not None and (image := self.tree.image(image_id)).is_file():
            check_size(path, mask.shape, image)
        write_label(self.target / path.name, mask)
        return contradictions(self.shown, image_id, path, mask)
