"""`mars report RUN`: a run's numbers merged into `metrics.json`, as a table on the terminal and as one HTML page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from datamodules.files.whole_file import whole_file
from datamodules.terminal import terminal
from mars_pl.commands.metrics_table import DASH, judged_on, percent, provenance, rows_table, scored_classes
from mars_pl.commands.report.gap import unlike
from mars_pl.commands.report.run import Metrics, Run, merge, open_run, write_metrics
from mars_pl.commands.row_names import last_round

SHEET = 5
"""Images in the picture of what was removed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns 0."""
    arguments = parser().parse_args(argv)
    run = open_run(arguments.run)
    metrics = merge(run)
    written = [write_metrics(run, metrics)]
    console = terminal()
    print_numbers(console, run, metrics)
    if not arguments.no_html:
        written += write_page(run, metrics, arguments.gallery, arguments.pictures)
    for path in reversed(written):
        console.print(Text(str(path), style=f"bold link {path.resolve().as_uri()}"), soft_wrap=True)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    reader = argparse.ArgumentParser(
        prog="mars report", description="One page with the numbers and the pictures of a run."
    )
    reader.add_argument("run", metavar="RUN", help="a run's folder, or its name under runs/")
    add_picture_options(reader)
    reader.add_argument("--no-html", action="store_true", help="only metrics.json and the table")
    return reader


def add_picture_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of how many images a page shows and keeps."""
    words = "images shown at once, beside the table of all of them (default: 12)"
    parser.add_argument("--gallery", type=int, default=12, metavar="N", help=words)
    words = "images of each split whose pictures are kept, all others are in the table alone (default: 2000)"
    parser.add_argument("--pictures", type=int, default=2000, metavar="N", help=words)


def write_page(run: Run, metrics: Metrics, gallery: int, pictures: int) -> list[Path]:
    """Write the page into the run folder, the pictures beside it where they are many, and what was removed at a glance.

    Args:
        run: the run, with the files of its stages.
        metrics: its merged numbers.
        gallery: how many images are shown at once by what was removed.
        pictures: of how many images of each split pictures are kept.

    Returns:
        The files, the page last.

    Raises:
        DataError: where an image or a label is at fault.
    """
    from mars_pl.commands.report.images.data import page_images  # pictures and Jinja2 are not needed with --no-html
    from mars_pl.commands.report.images.sets import image_sets
    from mars_pl.commands.report.images.sheet import write_sheet
    from mars_pl.commands.report.images.strips import MOST_REMOVED
    from mars_pl.commands.report.page import page

    path, sheet = run.folder / "report.html", run.folder / "before_after.png"
    sets = image_sets(run)
    told = page_images(sets, run.folder / "report_files", gallery, pictures)
    with whole_file(path) as partial:
        partial.write_text(page(run, metrics, told), encoding="utf-8")
    for images, one in zip(sets, told["sets"], strict=True):
        for strip in one["strips"]:
            if strip["title"] == MOST_REMOVED:
                write_sheet(sheet, images, [images.ids[place] for place in strip["images"][:SHEET]])
                return [sheet, path]
    sheet.unlink(missing_ok=True)  # of an earlier report
    return [path]


def print_numbers(console: Console, run: Run, metrics: Metrics) -> None:
    """Print the rows and, under them, the selection, the gap and the seconds."""
    console.print(Text.assemble(("MARS", "bold"), f"  run {run.name}, data {metrics['data']}, seed {metrics['seed']}"))
    console.print(rows_table(metrics["rows"]))
    console.print()
    lines = [scored_classes(metrics["rows"]), *selection_lines(metrics), gap_line(metrics), seconds_line(metrics)]
    for line in filter(None, lines):
        console.print(Text(line))
    console.print()


def selection_lines(metrics: Metrics) -> list[str]:
    """Return the target shares in words: over all classes (and those with a companion), then class by class."""
    selection = metrics["selection"]
    after, before = selection["target_share"] or {}, selection["target_share_before"] or {}
    if not any(value is not None for value in after.values()):
        return []
    groups = {"all": "all classes", "companion": "classes with a companion"}
    overall = [
        f"{words} {percent(after[name], 0)} % (of all candidates {percent(before.get(name), 0)} %)"
        for name, words in groups.items()
        if name in after
    ]
    single = [
        f"{name} {percent(value, 0)} ({percent(before.get(name), 0)})"
        for name, value in after.items()
        if name not in groups and value is not None
    ]
    words = ("candidates", "targets", "between", "biased")
    counts = [f"{selection[word]} {word}" for word in words if selection.get(word) is not None]
    lines = [", ".join(line) for line in (single, counts) if line]
    where = f" ({on})" if (on := judged_on(selection)) else ""
    return [f"targets among the selected centroids{where}: {'; '.join(overall)}", *(f"  {line}" for line in lines)]


def gap_line(metrics: Metrics) -> str:
    """Return the gap in words, with the reason where it cannot be measured."""
    gap = metrics["gap"]
    if gap["closed"] is not None:
        way = f"{percent(gap['baseline'])} → {percent(gap['mars'])}, full supervision {percent(gap['supervised'])}"
        about = provenance(metrics["rows"][last_round(metrics["rows"])])
        return f"gap to full supervision: {percent(gap['closed'], 0)} % closed ({way}; {about})"
    missing = [name for name in ("baseline", "mars", "supervised") if gap[name] is None]
    reason = f"not measured: {', '.join(missing)}" if missing else "full supervision is not above the baseline"
    if not missing and (different := unlike(metrics["rows"])):
        reason = f"the rows differ in {', '.join(different)}"
    return f"gap to full supervision: {DASH} ({reason})"


def seconds_line(metrics: Metrics) -> str:
    """Return the seconds of all stages, the longest first."""
    seconds = sorted(metrics["seconds"].items(), key=lambda item: -item[1])
    each = ", ".join(f"{name} {value:.0f}" for name, value in seconds)
    return f"{sum(metrics['seconds'].values()):.0f} seconds: {each}" if seconds else ""
