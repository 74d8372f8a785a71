"""``mars check``: looks a data set, a label folder or a server's archive over, and lists all that is wrong at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from datamodules.faults import Fault
from mars_pl.commands.check import archive, data, labels
from mars_pl.commands.json_files import write_json

NAMED = 5
"""Culprits that are named of each kind, beside the first; the JSON names all."""


def main(argv: Sequence[str]) -> int:
    """Look something over; returns 1 where anything is wrong.

    Args:
        argv: the words after ``mars check``.
    """
    parser = argparse.ArgumentParser(prog="mars check", description="Lists all that is wrong, at once.")
    what = parser.add_subparsers(dest="what", required=True, metavar="data|labels|archive")
    for name, command in (("data", data), ("labels", labels), ("archive", archive)):
        words = command.__doc__.partition("\n")[0] if command.__doc__ else None
        own = what.add_parser(name, help=words, description=words)
        command.add_arguments(own)
        own.add_argument("--json", type=Path, metavar="FILE", help="write all faults there")
        own.set_defaults(inspect=command.inspect)
    options = parser.parse_args(argv)
    images, faults = options.inspect(options)
    grouped = group(faults)
    _print(f"{options.path}: {images:,} images", grouped)
    if options.json:
        write_json(options.json, {"path": str(options.path), "images": images, "faults": grouped})
    return int(bool(faults))


def group(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Put faults of a kind together: kind, count, the first one's line and all names, in the order of appearance."""
    kinds: dict[str, list[Fault]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).append(fault)
    return [
        {"kind": kind, "count": len(found), "first": found[0].text, "names": [fault.name for fault in found]}
        for kind, found in kinds.items()
    ]


def _print(heading: str, grouped: Sequence[dict[str, Any]]) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{heading}, {'nothing is wrong' if not grouped else 'these faults:'}")
    for entry in grouped:
        console.print(f"\n{entry['kind']}: {entry['count']:,}\n  {entry['first']}")
        names = list(dict.fromkeys(entry["names"][1:]))
        if names:
            console.print(f"  also {', '.join(names[:NAMED])}{', …' if len(names) > NAMED else ''}")
