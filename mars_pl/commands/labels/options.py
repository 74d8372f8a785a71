"""Options that the kinds of ``mars labels`` share."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.labels import SIXTEEN_BIT
from mars_pl.commands.data_choice import data_choice


def number(least: int, most: int) -> Callable[[str], int]:
    """Return argparse's type of a whole number within bounds, both meant."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text}: write a whole number of {least}…{most}")
        return int(text)

    return parse


def fraction(text: str) -> float:
    """Read a number of 0…1, as argparse's type."""
    if not 0 <= (value := _float(text)) <= 1:
        raise argparse.ArgumentTypeError(f"{text}: write a number of 0…1")
    return value


def positive(text: str) -> float:
    """Read a finite number above 0, as argparse's type."""
    if not 0 < (value := _float(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: write a number above 0")
    return value


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def add_common(parser: argparse.ArgumentParser, source: str, target: str) -> None:
    """Add folders, list, classes and workers.

    Args:
        parser: of one kind.
        source: what SOURCE is.
        target: what TARGET is.
    """
    parser.add_argument("source", type=Path, metavar="SOURCE", help=source)
    parser.add_argument("target", type=Path, metavar="TARGET", help=target)
    parser.add_argument("--list", type=Path, metavar="FILE", help="image ids, one a line (default: every file)")
    words = "at once (default: a core each, at most 8)"
    parser.add_argument("--workers", type=number(1, 1024), metavar="N", help=words)


def add_classes(parser: argparse.ArgumentParser) -> None:
    """Add the choice of the classes: a data set and where it lies, or their number."""
    classes = parser.add_mutually_exclusive_group(required=True)
    classes.add_argument("--data", metavar="NAME|YAML", help="data set whose classes apply: voc, … or a data YAML")
    count = number(1, SIXTEEN_BIT.biased - 1)
    classes.add_argument("--classes", type=count, metavar="C", help="number of its foreground classes, e.g. 80")
    words = "data folder: its class names, where --data leaves them to it, and image labels to hold labels against"
    parser.add_argument("--root", type=Path, metavar="DIR", help=words)


def chosen_classes(options: argparse.Namespace) -> tuple[int, Sequence[int] | None]:
    """Return the number of classes, background counted, and the ids that means are taken over; None for all.

    Raises:
        DataError: where there is no such data set, or its folder has to be named.
    """
    if options.data is None:
        return options.classes + 1, None
    if options.data == "folder" and options.root is None:
        raise DataError("--data folder: its classes.txt lies in the data folder; name that by --root")
    names, scored = data_choice(options.data, options.root)
    return len(names), None if scored is None else [names.index(name) for name in scored]
