"""`mars compare RUN|metrics.json …`: rows, classes and images of runs side by side, on the terminal and as a page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from datamodules.files.whole_file import whole_file
from datamodules.terminal import terminal
from mars_pl.commands.compare.differences import FIGURES, Compared, compared_rows, differing_choices
from mars_pl.commands.compare.sources import Source, read_sources
from mars_pl.commands.metrics_table import DASH, fraction, percent, signed, signed_points, title
from mars_pl.commands.report.command import add_picture_options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns 0.

    Raises:
        DataError: see `read_sources`; where an image or a label of a run is at fault.
    """
    arguments = parser().parse_args(argv)
    sources = read_sources(arguments.runs)
    console = terminal()
    console.print(comparison_table(compared_rows(sources)))
    for name, values in differing_choices(sources):
        each = ", ".join(f"{source.name} {value or DASH}" for source, value in zip(sources, values, strict=True))
        console.print(Text(f"{name}: {each}"))
    if not arguments.no_html:
        path = arguments.html or default_path(sources, arguments.runs[0])
        write_page(sources, path, arguments.gallery, arguments.pictures)
        console.print(Text(str(path), style=f"bold link {path.resolve().as_uri()}"), soft_wrap=True)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    about = "Runs side by side: rows, classes, and the images on which they differ most."
    reader = argparse.ArgumentParser(prog="mars compare", description=about)
    words = "two runs and more: folders, names under runs/, or metrics.json files; the first is what others differ from"
    reader.add_argument("runs", metavar="RUN", nargs="+", help=words)
    words = "the page (default: compare-FIRST-SECOND.html beside the first run); its pictures lie in FILE's name_files"
    reader.add_argument("--html", type=Path, metavar="FILE", help=words)
    reader.add_argument("--no-html", action="store_true", help="only the table")
    add_picture_options(reader)
    return reader


def comparison_table(rows: Sequence[Compared]) -> Table:
    """Return the rows as a table for the terminal: a line a run, with its difference from the first."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("")
    for heading in ("mIoU %", "", "FP", "", "FN", "", "companion", "kept"):
        table.add_column(heading, justify="right", no_wrap=True)
    for compared in rows:
        note = f"  not measured alike: {', '.join(compared.unlike)}" if compared.unlike else ""
        table.add_row(Text.assemble((title(compared.name), "bold"), (note, "dim italic")))
        for run, row, change in compared.runs:
            figures = {figure: (row or {}).get(figure) for figure in FIGURES}
            cells = [Text(percent(figures["miou"])), Text(signed_points(change["miou"]), style="dim")]
            for figure in ("fp", "fn"):
                cells += [Text(fraction(figures[figure])), Text(signed(change[figure]), style="dim")]
            table.add_row(Text(f"  {run}"), *cells, *(fraction(figures[figure]) for figure in ("companion", "kept")))
        table.add_section()
    return table


def default_path(sources: Sequence[Source], first: str) -> Path:
    """Return where the page goes when nobody says: beside the first run's folder, by the names of the first two."""
    run = sources[0].run
    place = run.folder.parent if run is not None else Path(first).parent
    names = "-".join(Path(source.name).name for source in sources[:2])
    return place / f"compare-{names}.html"


def write_page(sources: Sequence[Source], path: Path, gallery: int, pictures: int) -> None:
    """Write the page, and its pictures beside it where they are many."""
    from mars_pl.commands.compare.page import page  # Jinja2 and the pictures are not needed with --no-html

    with whole_file(path) as partial:
        partial.write_text(page(sources, path, gallery, pictures), encoding="utf-8")
