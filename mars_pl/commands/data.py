"""``mars data``: brings a data set into the layout that every stage reads, once, before the first stage would."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from datamodules.coco_masks import Rule
from datamodules.coco_prepare import prepare_coco
from datamodules.folder_prepare import prepare_folder


def main(argv: Sequence[str]) -> int:
    """Prepare one data set; returns 0.

    Args:
        argv: the words after ``mars data``.

    Raises:
        DataError: where what it is made of is missing or at fault, or the disk refuses.
    """
    parser = argparse.ArgumentParser(prog="mars data", description="Prepares a data set.")
    sets = parser.add_subparsers(dest="set", required=True, metavar="SET")
    _add_coco(sets.add_parser("coco", help="lists, image labels and masks from COCO 2014's annotations"))
    _add_folder(sets.add_parser("folder", help="lists and image labels from the tables of a folder of one's own"))
    options = parser.parse_args(argv)
    options.run(options)
    return 0


def _add_coco(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="holds annotations, train2014 and val2014")
    words = "which of two overlapping instances has a pixel (default: later)"
    parser.add_argument("--overlap", choices=("later", "smallest"), default="later", help=words)
    words = "regions of uncounted instances in the masks (default: excluded)"
    parser.add_argument("--crowd", choices=("excluded", "included"), default="excluded", help=words)
    parser.set_defaults(run=lambda options: prepare_coco(options.root, Rule(options.overlap, options.crowd)))


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="holds images, classes.txt and labels.csv or .json")
    parser.set_defaults(run=lambda options: prepare_folder(options.root))
