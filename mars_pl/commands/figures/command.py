"""`mars figures RUN`: the paper's figures as PNG and SVG, its tables as Markdown and LaTeX, into the run's folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from rich.text import Text

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from datamodules.terminal import terminal
from mars_pl.commands.report.figures import FOLDER, add_entries
from mars_pl.commands.report.run import Run, open_run

FIGURES = {name: f"mars_pl.commands.figures.figure_{name}" for name in ("1b", "3", "7", "8", "9", "10")}
TABLES = ("table4", "table5", "table6")
FORMATS = ("png", "svg", "pdf")


def main(argv: Sequence[str] | None = None) -> int:
    """Draw what can be drawn; what the run lacks is said in a line each. Returns 0.

    Raises:
        DataError: where there is no such run, a file of it is damaged, nothing can be drawn, or what was asked for by
            name cannot.
    """
    arguments = parser().parse_args(argv)
    run = open_run(arguments.run)
    run.look_for_weights()
    from mars_pl.commands.figures.drawn import LackingError  # matplotlib, which --help does without

    console = terminal()
    entries, lacking = [], []
    for name in arguments.only or (*FIGURES, *TABLES):
        try:
            entry = _table(run, name) if name in TABLES else _figure(run, name, arguments.format)
        except LackingError as error:
            if arguments.only:
                raise DataError(f"{run.folder}: {_title(name)}: {error}") from None
            lacking.append(f"{_title(name)} is left out: {error}")
            continue
        entries.append(entry)
        paths = ", ".join(str(run.folder / FOLDER / file) for file in entry["files"])
        console.print(Text(f"{_title(name)}, {entry['title']}: {paths}"), soft_wrap=True)
    for line in lacking:
        console.print(Text(line, style="dim"), soft_wrap=True)
    if not entries:
        raise DataError(f"{run.folder}: none of the figures can be drawn; the lines above say what each lacks")
    add_entries(run, entries)
    console.print(Text(f"`mars report {run.folder}` shows them in the page"), soft_wrap=True)
    return 0


def _figure(run: Run, name: str, formats: Sequence[str]) -> dict[str, Any]:
    from mars_pl.commands.figures.drawn import PaperFigure
    from mars_pl.commands.figures.style import save, styled

    module = cast("PaperFigure", import_module(FIGURES[name]))
    data = module.collect(run)
    files = [f"figure_{name}.{kind}" for kind in formats]
    with styled():
        figure = module.draw(data)
        for file in files:
            save(figure, run.folder / FOLDER / file)
    return {"name": name, "title": module.TITLE, "caption": module.caption(data), "files": files}


def _table(run: Run, name: str) -> dict[str, Any]:
    from mars_pl.commands.figures.paper_tables import TABLES as MADE
    from mars_pl.commands.figures.tables import latex, markdown

    table = MADE[name](run)
    contents = {f"{name}.md": markdown(table), f"{name}.tex": latex(table)}
    for file, content in contents.items():
        with whole_file(run.folder / FOLDER / file) as partial:
            Path(partial).write_text(content, encoding="utf-8")
    lines = [{"cells": list(line.cells), "strong": line.strong} for line in table.lines]
    about = {"name": name, "title": table.title, "caption": table.caption, "files": list(contents)}
    return about | {"heads": list(table.heads), "words": table.words, "lines": lines}


def _title(name: str) -> str:
    return f"Table {name.removeprefix('table')}" if name in TABLES else f"Fig. {name.replace('1b', '1(b)')}"


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    about = "The paper's figures and tables from a run: PNG and SVG, Markdown and LaTeX, in RUN/figures."
    reader = argparse.ArgumentParser(prog="mars figures", description=about)
    reader.add_argument("run", metavar="RUN", help="a run's folder, or its name under runs/")
    names = (*FIGURES, *TABLES)
    words = f"these alone, of {', '.join(names)} (default: all that the run has)"
    reader.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=words)
    words = f"of the figures, of {', '.join(FORMATS)} (default: png svg)"
    reader.add_argument("--format", nargs="+", choices=FORMATS, default=["png", "svg"], metavar="FORMAT", help=words)
    return reader
