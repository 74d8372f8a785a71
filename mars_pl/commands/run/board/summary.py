"""What only a run as a whole shows: all its rows beside one another, and images with all their labels."""

from __future__ import annotations

from collections.abc import Sequence

from datamodules.files.shards.place import Folder, place
from datamodules.files.tree import Tree
from mars_pl.commands.metrics_table import measured_by, scored_on, title
from mars_pl.commands.report.run import merge, open_run
from mars_pl.commands.run.board.figures import MEANS, evenly, rows_table
from mars_pl.commands.run.board.images import overlay
from mars_pl.dashboards.items import Items, Table
from mars_pl.pipeline.run_folder import Run

IMAGES = 24
"""Images that are shown with their labels."""

SHOWN = {"Yᵇ": "pseudo", "Yᵈᵇ": "debiased", "Yᶜᵒ": "complemented", "prediction": "prediction"}
"""Label folders of a run by the name to show."""


def run_items(run: Run, names: Sequence[str]) -> Items:
    """Return the items of a run.

    Args:
        run: whose ``run.json`` is written.
        names: of the classes, background first.
    """
    read, choices = open_run(str(run.folder)), run.pipeline.choices
    metrics = merge(read)
    rows = {name: row for name, row in metrics["rows"].items() if row}
    items: Items = {
        f"{name}/{figure}": row[figure]
        for name, row in rows.items()
        for figure in MEANS
        if isinstance(row.get(figure), int | float)
    }
    lines = [
        [title(name), scored_on(row), *(row.get(figure) for figure in MEANS), measured_by(row)]
        for name, row in rows.items()
    ]
    items["rows"] = Table(("row", "scored on", *MEANS, "by"), lines)
    items["per_class"] = rows_table(rows)
    items["seconds"] = Table(("stage", "seconds"), [list(pair) for pair in metrics["seconds"].items()])
    closed = (metrics["gap"] or {}).get("closed")
    if isinstance(closed, int | float):
        items["gap/closed"] = closed
    tree = Tree(choices.root)
    folders: dict[str, Folder] = {"truth": place(choices.place(choices.truth))}
    folders |= {name: place(folder) for name, entry in SHOWN.items() if (folder := read.labels(entry)) is not None}
    split = choices.train_split
    ids = tree.ids(split) if tree.list_file(split).is_file() else []
    items |= {f"overlays/{image_id}": overlay(tree, image_id, folders) for image_id in evenly(ids, IMAGES)}
    return items
