"""``mars labels export``: label files as the VOC server, DHR and mmsegmentation want them."""

from __future__ import annotations

import argparse
from pathlib import Path

from datamodules.files.labels import IGNORED
from mars_pl.commands.labels import export_archive, export_folders
from mars_pl.commands.labels.options import add_classes, add_common

ABOUT = {
    "voc-server": "the archive that VOC's evaluation server takes",
    "dhr": "DHR's folders WSS/<dataset>/<method>/<domain>/<id>.png",
    "mmseg": "mmsegmentation's pascal_voc12 folders",
}
TARGETS = {
    "voc-server": "archive to write, e.g. results.tar.gz",
    "dhr": "the folder WSS",
    "mmseg": "the data_root, e.g. data/VOCdevkit/VOC2012",
}
BIASED_CODES = {"voc-server": 0, "dhr": IGNORED, "mmseg": IGNORED}
"""Kind → what a biased pixel becomes: background where labels are scored, ignored where they train."""


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the kinds and their options to the parser of ``mars labels export``."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for kind, about in ABOUT.items():
        own = kinds.add_parser(kind, help=about, description=f"Export to {about}.")
        add_common(own, "folder of label files <id>.png", TARGETS[kind])
        code = BIASED_CODES[kind]
        words = f"what the biased pixels, 254, become (default: {code})"
        own.add_argument("--biased", type=int, choices=(0, IGNORED), default=code, help=words)
        if kind == "voc-server":
            _add_server(own)
            own.set_defaults(run=export_archive.run)
        else:
            add_classes(own)
            _add_dhr(own) if kind == "dhr" else _add_mmseg(own)
            own.set_defaults(run=export_folders.run)


def _add_server(parser: argparse.ArgumentParser) -> None:
    words = "the split, part of the folder's name: test or val"
    parser.add_argument("--split", default="test", metavar="NAME", help=f"{words} (default: test)")
    words = "comp6: trained with more data than VOC's, ImageNet too (default); comp5: with VOC's alone"
    parser.add_argument("--competition", choices=("comp5", "comp6"), default="comp6", help=words)
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="images <id>.jpg, or of another suffix, to check the sizes against"
    )


def _add_dhr(parser: argparse.ArgumentParser) -> None:
    for level, usual in (("dataset", "VOC2012"), ("method", "MARS"), ("domain", "train_aug")):
        words = f"folder of the {level} (default: {usual})"
        parser.add_argument(f"--{level}", default=usual, metavar="NAME", help=words)


def _add_mmseg(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", required=True, metavar="NAME", help="write ImageSets/Segmentation/NAME.txt")
    words = "the seg_map_path (default: SegmentationClass)"
    parser.add_argument("--folder", default="SegmentationClass", metavar="NAME", help=words)
    parser.add_argument("--images", type=Path, metavar="DIR", help="images, to be linked as JPEGImages")
