"""The sweep of the background score against the truth, as a table and as ``sweep.json``; nothing is chosen by it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from callbacks.writing.pseudo_labels import SweepCounts
from datamodules.terminal import terminal
from mars_pl.metrics.scores import Scores


def sweep_rows(swept: Sequence[float], counts: SweepCounts, over: Sequence[int] | None) -> list[dict[str, float]]:
    """Return a row a score: means over the classes ``over`` (None for all) of the counts of all images."""
    figures = zip(swept, (Scores.from_counts(count, over) for count in counts), strict=True)
    return [{"background": score, "miou": one.miou, "fp": one.fp, "fn": one.fn} for score, one in figures]


def print_sweep(rows: Sequence[dict[str, float]], split: str, images: int, refinement: str) -> None:
    """Print the rows with what they were measured on, and mark the best."""
    console = terminal()
    console.print(f"Background score on {split} ({images} images, refinement {refinement}); nothing is chosen by it")
    table = Table()
    for column in ("background", "mIoU %", "FP", "FN"):
        table.add_column(column, justify="right")
    best = max(rows, key=lambda row: row["miou"])
    for row in rows:
        mark = " ←" if row is best else ""
        table.add_row(
            f"{row['background']:.2f}", f"{100 * row['miou']:.1f}{mark}", f"{row['fp']:.3f}", f"{row['fn']:.3f}"
        )
    console.print(table)
