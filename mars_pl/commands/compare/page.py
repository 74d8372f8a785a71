"""The page of a comparison, in the report's look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mars_pl.commands.compare.differences import DIFFERENCE, class_comparisons, compared_rows, differing_choices
from mars_pl.commands.compare.images import compared_images
from mars_pl.commands.compare.sources import Source
from mars_pl.commands.metrics_table import scored_classes
from mars_pl.commands.report.images.data import page_images
from mars_pl.commands.report.template import render
from mars_pl.commands.row_names import last_round


def page(sources: Sequence[Source], path: Path, gallery: int, pictures: int) -> str:
    """Return the page as HTML, and write the pictures beside it where they are many.

    Args:
        sources: the runs, the first of which the others differ from.
        path: where the page will lie.
        gallery: how many images are shown at once.
        pictures: of how many images of each split pictures are kept.
    """
    classes = class_comparisons(sources)
    names = [entry["name"] for entry in classes]
    return render(
        "compare.html",
        Path(__file__).parent,
        sources=sources,
        rows=compared_rows(sources),
        classes=classes,
        opened=next((name for name in (last_round(names), *names[-1:]) if name in names), ""),
        choices=differing_choices(sources),
        scored=scored_classes(sources[0].metrics["rows"]),
        difference=DIFFERENCE,
        told=page_images(compared_images(sources), path.with_name(f"{path.stem}_files"), gallery, pictures),
    )
