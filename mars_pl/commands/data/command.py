"""``mars data``: brings a data set into the layout that every stage reads, and packs it into shards."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from datamodules.errors import DataError
from datamodules.files.tree import Tree
from datamodules.prepare.coco import prepare_coco
from datamodules.prepare.coco_masks import Rule
from datamodules.prepare.folder import MANY_CLASSES, Form, prepare_folder
from datamodules.prepare.imports.importing import import_folder
from datamodules.prepare.imports.kinds import KINDS
from datamodules.prepare.voc_download import SBD_ARCHIVE, VOC_ARCHIVE, Archive, download_voc
from datamodules.synthetic.companions import WORLDS
from datamodules.synthetic.generator import write_scenes
from mars_pl.commands.data.shards import add_index, add_shards, add_unpack


def main(argv: Sequence[str]) -> int:
    """Prepare or pack one data set; returns 0.

    Args:
        argv: the words after ``mars data``.

    Raises:
        DataError: where what it is made of is missing or at fault, or the disk refuses.
    """
    options = parser().parse_args(argv)
    options.run(options)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    reader = argparse.ArgumentParser(prog="mars data", description="Prepares a data set, or packs it.")
    sets = reader.add_subparsers(dest="set", required=True, metavar="SET|shards|unpack|index")
    _add_voc(sets.add_parser("voc", help="downloads VOC 2012 and the SBD masks, 3.4 GB, and makes train_aug of them"))
    _add_coco(sets.add_parser("coco", help="lists, image labels and masks from COCO 2014's annotations"))
    _add_folder(sets.add_parser("folder", help="lists and image labels from the tables of a folder of one's own"))
    _add_scenes(sets.add_parser("scenes", help="generates Scenes, whose classes come with companions"))
    add_shards(sets.add_parser("shards", help="packs a prepared data set, or a folder of images or masks, into shards"))
    add_unpack(sets.add_parser("unpack", help="writes the files of shards into a folder"))
    add_index(sets.add_parser("index", help="writes the index of shards that have none, such as WebDataset's"))
    return reader


def _add_voc(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder to make")
    for name, archive in (("voc", VOC_ARCHIVE), ("sbd", SBD_ARCHIVE)):
        parser.add_argument(f"--{name}", default=archive.address, metavar="URL", help=f"default: {archive.address}")
        parser.add_argument(
            f"--{name}-md5", default=archive.md5, metavar="SUM", help=f"its md5 (default: {archive.md5})"
        )
    words = "VOC2012test.tar, from the evaluation server: its images and its list join"
    parser.add_argument("--test", type=Path, metavar="FILE", help=words)
    words = "folder of the archives (default: ROOT.downloads)"
    parser.add_argument("--downloads", type=Path, metavar="DIR", help=words)
    parser.add_argument("--keep", action="store_true", help="leave the archives there")
    parser.set_defaults(run=_download_voc)


def _download_voc(options: argparse.Namespace) -> None:
    voc, sbd = Archive(options.voc, options.voc_md5), Archive(options.sbd, options.sbd_md5)
    download_voc(options.root, voc, sbd, options.test, options.downloads, options.keep)
    _tell(options.root)


def _add_coco(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="holds annotations, train2014 and val2014")
    words = "which of two overlapping instances has a pixel (default: later)"
    parser.add_argument("--overlap", choices=("later", "smallest"), default="later", help=words)
    words = "regions of uncounted instances in the masks (default: excluded)"
    parser.add_argument("--crowd", choices=("excluded", "included"), default="excluded", help=words)
    parser.set_defaults(run=_prepare_coco)


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="holds images, classes.txt and labels.csv or .json")
    words = f"image_labels.json or .parquet (default: what is there; Parquet above {MANY_CLASSES:,} classes)"
    parser.add_argument("--image-labels", choices=get_args(Form), default="auto", help=words)
    words = "what a program exported: classes.txt, labels.json, perhaps val.txt and masks are written from it"
    parser.add_argument("--from", dest="source", type=Path, metavar="SOURCE", help=words)
    words = f"{', '.join(KINDS)} (default: told by its content)"
    parser.add_argument("--kind", choices=KINDS, metavar="KIND", help=words)
    words = "folder of its images (default: ROOT/images, or where SOURCE lies)"
    parser.add_argument("--images", type=Path, metavar="DIR", help=words)
    parser.set_defaults(run=_prepare_folder)


def _add_scenes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder to make")
    parser.add_argument("--seed", type=int, default=0, help="of the pictures (default: 0)")
    words = "which classes have which companions; on the second nobody has chosen a setting (default: first)"
    parser.add_argument("--world", choices=tuple(WORLDS), default="first", help=words)
    parser.set_defaults(run=_generate_scenes)


def _generate_scenes(options: argparse.Namespace) -> None:
    write_scenes(options.root, options.seed, world=WORLDS[options.world])
    _tell(options.root)


def _prepare_coco(options: argparse.Namespace) -> None:
    prepare_coco(options.root, Rule(options.overlap, options.crowd))
    _tell(options.root)


def _prepare_folder(options: argparse.Namespace) -> None:
    if options.source is not None:
        found = import_folder(options.root, options.source, options.kind, options.images)
        skipped = f", {found.skipped:,} without annotation left out" if found.skipped else ""
        print(f"{options.source}: {found.kind}, {found.images:,} images, {found.masks:,} masks{skipped}")
        print(", ".join(f"{name} {count:,}" for name, count in found.shown.items()))
    elif options.kind or options.images:
        raise DataError("--kind and --images are of an export; --from names it")
    prepare_folder(options.root, options.image_labels)
    _tell(options.root)


def _tell(root: Path) -> None:
    """Print the lists and how many images each names."""
    tree = Tree(root)
    print(f"{root}: {', '.join(f'{len(tree.ids(split)):,} images in {split}' for split in tree.splits())}")
