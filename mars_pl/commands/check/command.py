"""``mars check``: looks a data set, a label folder or a server's archive over, and lists all that is wrong at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from datamodules.terminal import on_one_line, terminal
from mars_pl.commands.check import archive, data, labels
from mars_pl.commands.check.found import Found, group
from mars_pl.commands.json_files import write_json

NAMED = 5
"""Culprits that are named of each kind, beside the first; the JSON names all."""


def main(argv: Sequence[str]) -> int:
    """Look something over; returns 1 where anything is wrong, which notes are not.

    Args:
        argv: the words after ``mars check``.
    """
    options = parser().parse_args(argv)
    found: Found = options.inspect(options)
    faults, notes = (group([fault for fault in found.faults if fault.note == note]) for note in (False, True))
    _print(f"{options.path}: {found.heading}", faults, notes)
    if options.json:
        content = {"path": str(options.path), "images": found.images, "masks": found.masks}
        write_json(options.json, {**content, "faults": faults, "notes": notes})
    return int(bool(faults))


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    reader = argparse.ArgumentParser(prog="mars check", description="Lists all that is wrong, at once.")
    what = reader.add_subparsers(dest="what", required=True, metavar="data|labels|archive")
    for name, command in (("data", data), ("labels", labels), ("archive", archive)):
        words = command.__doc__.partition("\n")[0] if command.__doc__ else None
        own = what.add_parser(name, help=words, description=words)
        command.add_arguments(own)
        own.add_argument("--json", type=Path, metavar="FILE", help="write all faults there")
        own.set_defaults(inspect=command.inspect)
    return reader


def _print(heading: str, faults: Sequence[dict[str, Any]], notes: Sequence[dict[str, Any]]) -> None:
    console = terminal()
    console.print(f"{on_one_line(heading)}, {'these faults:' if faults else 'nothing is wrong'}", soft_wrap=True)
    for entry in faults:
        _print_kind(console, entry)
    if notes:
        console.print("\nNo faults, but worth a look:")
    for entry in notes:
        _print_kind(console, entry)


def _print_kind(console: Console, entry: dict[str, Any]) -> None:
    console.print(f"\n{entry['kind']}: {entry['count']:,}\n  {on_one_line(entry['first'])}", soft_wrap=True)
    names = [on_one_line(name) for name in dict.fromkeys(entry["names"][1:])]
    if names:
        console.print(f"  also {', '.join(names[:NAMED])}{', …' if len(names) > NAMED else ''}", soft_wrap=True)
