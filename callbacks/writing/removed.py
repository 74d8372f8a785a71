"""How much of each class debiasing took away, as a table and as ``removed.json`` (paper §3.3, Eq. 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from lightning_utilities.core.rank_zero import rank_zero_warn
from numpy.typing import NDArray
from rich.table import Table

from datamodules.terminal import terminal

MUCH_REMOVED = 0.6
"""Share of a class's pixels above which more than a companion has probably gone."""


def removed_summary(counts: NDArray[np.int64], class_names: Sequence[str]) -> dict[str, Any]:
    """Return for all classes and for each the pixels before, those removed and their share, None of nothing.

    Args:
        counts: (2, num_classes), pixels before and pixels removed.
        class_names: background first.
    """
    before, removed = ([int(row[1:].sum()), *row[1:].tolist()] for row in counts)
    names = ["all", *class_names[1:]]
    return {
        "removed": {name: gone / had if had else None for name, had, gone in zip(names, before, removed, strict=True)},
        "pixels": dict(zip(names, before, strict=True)),
        "pixels_removed": dict(zip(names, removed, strict=True)),
    }


def print_removed(summary: dict[str, Any]) -> None:
    """Print a row a class that has pixels, and warn of those that lose more than ``MUCH_REMOVED``."""
    table = Table(title="Removed as biased ({split}, {images} images, refinement {refinement})".format(**summary))
    table.add_column("class")
    table.add_column("pixels", justify="right")
    table.add_column("removed", justify="right")
    shares = {name: share for name, share in summary["removed"].items() if share is not None}
    for name, share in shares.items():
        style = "bold red" if share > MUCH_REMOVED else None
        table.add_row(name, f"{summary['pixels'][name]:,}", f"{share:.1%}", style=style)
    terminal().print(table)
    emptied = [f"{name} {share:.0%}" for name, share in shares.items() if share > MUCH_REMOVED and name != "all"]
    if emptied:
        rank_zero_warn(
            f"more than {MUCH_REMOVED:.0%} removed of {', '.join(emptied)}: look at the similarity maps; "
            "a larger exponent keeps more, and with Eq. 4 normalise may suit these features"
        )
