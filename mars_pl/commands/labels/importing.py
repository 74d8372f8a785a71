"""``mars labels import``: class scores and masks of other projects become label files."""

from __future__ import annotations

import argparse
from pathlib import Path

from datamodules.files.labels import SIXTEEN_BIT
from mars_pl.commands.labels import import_masks, import_scores
from mars_pl.commands.labels.options import add_classes, add_common, fraction, number, positive
from mars_pl.commands.labels.sweep import swept_scores

KINDS = {
    "irn": "pickled <id>.npy of IRN, AdvCAM, W-OoD and CLIMS: keys, cam, high_res",
    "seam": "pickled <id>.npy of SEAM: out_cam or out_crf",
    "rsepm": "pickled <id>.pkl of RS+EPM: keys, seed",
    "png": "masks <id>.png, palette or grey",
    "dhr": "DHR's folders WSS/<dataset>/<method>/<domain>/<id>.png",
}


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the kinds and their options to the parser of ``mars labels import``."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for kind, about in KINDS.items():
        own = kinds.add_parser(kind, help=about, description=f"Import {about}.")
        source = "the folder WSS" if kind == "dhr" else "folder of the files"
        add_common(own, source, "folder of the label files <id>.png, with about.json")
        add_classes(own)
        own.add_argument(
            "--images",
            type=Path,
            metavar="DIR",
            help="images <id>.jpg, or of another suffix, to check the sizes against",
        )
        if kind in import_scores.SUFFIXES:
            _add_scores(own, kind)
            own.set_defaults(run=import_scores.run)
        else:
            _add_masks(own, kind)
            own.set_defaults(run=import_masks.run)


def _add_scores(parser: argparse.ArgumentParser, kind: str) -> None:
    if kind == "seam":
        words = "what the files are (default: seen by the first)"
        parser.add_argument("--content", choices=("auto", "cam", "crf"), default="auto", help=words)
    if kind == "irn":
        words = "what key 0 is: the background, or class 1 (default: class 1, unless all files begin with 0)"
        parser.add_argument("--keys", choices=("classes", "background"), help=words)
    published = import_scores.PUBLISHED[kind]
    background = parser.add_mutually_exclusive_group()
    words = f"a class must exceed this score (default: {published} as published, or the best of --sweep)"
    background.add_argument("--background", type=fraction, metavar="SCORE", help=words)
    background.add_argument("--alpha", type=positive, metavar="A", help="background (1 − max)^A instead of a score")
    sweep = parser.add_argument_group("sweep of the background score")
    sweep.add_argument("--sweep", type=swept_scores, metavar="SCORES", help="try .1,.2,.3 or from:to:step")
    sweep.add_argument("--truth", type=Path, metavar="DIR", help="folder of <id>.png to measure against")
    words = "images it is measured on (default: those imported that have truth)"
    sweep.add_argument("--sweep-list", type=Path, metavar="FILE", help=words)
    sweep.add_argument("--split", metavar="NAME", help="their name (default: that of the list)")
    refinement = parser.add_argument_group("refinement")
    words = "dense CRF along the images, which --images names (default: none)"
    refinement.add_argument("--refine", choices=("none", "crf"), default="none", help=words)
    words = "settings: irn-label, cam, deeplab, … (default: those of the background's source)"
    refinement.add_argument("--crf", metavar="NAME", help=words)
    words = "of its reaches in pixels, for images that are not of VOC's size (default: 1)"
    refinement.add_argument("--crf-scale", type=positive, default=1.0, metavar="F", help=words)


def _add_masks(parser: argparse.ArgumentParser, kind: str) -> None:
    words = "codes that mean “ignore”, beside 255"
    parser.add_argument("--ignore", type=_codes, default=(), metavar="V,V", help=words)
    if kind == "png":
        words = "the codes are COCO's category ids 1…90; they become 1…80"
        parser.add_argument("--coco-ids", action="store_true", help=words)
    else:
        for level, example in (("dataset", "VOC2012"), ("method", "RSEPM"), ("domain", "train_aug")):
            words = f"folder of the {level}, e.g. {example} (default: the only one)"
            parser.add_argument(f"--{level}", metavar="NAME", help=words)


def _codes(text: str) -> tuple[int, ...]:
    return tuple(map(number(0, SIXTEEN_BIT.ignored), text.split(",")))
