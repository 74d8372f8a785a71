"""``mars labels``: labels of other projects brought to ours, and ours to theirs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mars_pl.commands.labels import exporting, importing


def main(argv: Sequence[str]) -> int:
    """Import or export a folder of labels; returns 0.

    Args:
        argv: the words after ``mars labels``.

    Raises:
        DataError: where a file or an option is at fault.
    """
    options = parser().parse_args(argv)
    options.run(options)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    reader = argparse.ArgumentParser(prog="mars labels", description="Labels of other projects, in and out.")
    actions = reader.add_subparsers(dest="action", required=True, metavar="import|export")
    importing.add_parser(actions.add_parser("import", help="make our label files of what others write"))
    exporting.add_parser(actions.add_parser("export", help="write label files as others want them"))
    return reader
