"""The paper's figures that `mars figures` drew into a run's folder, told in one file and shown in the page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from mars_pl.commands.json_files import write_json
from mars_pl.commands.report.images.pictures import as_uri
from mars_pl.commands.report.run import Run
from mars_pl.commands.report.shapes import DRAWN, read_figures

FOLDER = "figures"
"""Within the run's."""

TOLD = "figures.json"

ORDER = ("1b", "3", "7", "8", "9", "10", "table4", "table5", "table6")
SHOWN = ("png", "svg")
"""Formats that a page can show, the first of them where there are both."""

Entry = dict[str, Any]


def add_entries(run: Run, entries: Sequence[Entry]) -> None:
    """Write down what was drawn; figures of an earlier call that were drawn from the same stages stay."""
    known = {entry["name"]: entry for entry in _read(run)} | {
        entry["name"]: entry | {"of": stamp(run)} for entry in entries
    }
    order = [name for name in ORDER if name in known]
    write_json(run.folder / FOLDER / TOLD, {"figures": [known[name] for name in order]})


def drawn_figures(run: Run) -> list[Entry]:
    """Return what the page shows: figures with a picture as a data URI, tables with their lines.

    What was drawn from other stages than the run has now is left out, and so is a picture that is gone.

    Raises:
        DataError: where the file is damaged.
    """
    return [found for entry in _read(run) if (found := entry if "heads" in entry else _pictured(run, entry))]


def stamp(run: Run) -> str:
    """Return what tells the stages and rows of a run from other ones."""
    told = json.dumps([run.manifest.get("stages"), run.manifest.get("rows")], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _read(run: Run) -> list[Entry]:
    path = run.folder / FOLDER / TOLD
    if not path.is_file():
        return []
    entries = read_figures(path, DRAWN, "delete it; `mars figures` writes it again")["figures"]
    return [entry for entry in entries if entry["of"] == stamp(run)]


def _pictured(run: Run, entry: Entry) -> Entry | None:
    """The entry with its picture; None where there is none."""
    for suffix in SHOWN:
        for path in (run.folder / FOLDER / file for file in entry["files"]):
            if path.suffix == f".{suffix}" and path.is_file():
                return entry | {"uri": as_uri(path.read_bytes(), suffix)}
    return None
