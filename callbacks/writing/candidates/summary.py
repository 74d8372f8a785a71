"""What is said of the selection: `selection.json` and the table on the terminal (paper §3.2, §4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lightning_utilities.core.rank_zero import rank_zero_warn
from numpy.typing import NDArray
from rich.table import Table

from datamodules.terminal import terminal
from mars_pl.debias.kinds.two_kinds import Kinds
from mars_pl.metrics.target_share import KINDS, target_share

PRINTED = 250
"""Classes that are printed; all of them stand in the file."""


def kinds_said(kinds: Kinds | None, class_names: Sequence[str]) -> dict[str, Any]:
    """Return what is written of each class's kinds: whether it was parted, and what the data said."""
    if kinds is None:
        return {}
    measured = {
        class_names[index]: {
            "parted": bool(kinds.parted[index]),
            "nearness": [round(value, 4) for value in kinds.nearness[index].tolist()],
            "apart": round(float(kinds.apart[index]), 4),
            "effect": round(float(kinds.effect[index]), 4),
        }
        for index in (~kinds.effect.isnan()).nonzero().flatten().tolist()
    }
    return {"kinds": measured}


@dataclass(frozen=True)
class Summary:
    """The counts of the centroids stage.

    Attributes:
        before: (num_classes, 4) int64, candidates of each class by their kinds; none for background.
        after: likewise, the selected ones.
        background: how many background centroids there are.
        images_with_truth: images with a foreground candidate whose IoU is known.
        empty: (num_classes,) int64, in how many images a class had no cell of its own, and so no candidate.
        class_names: background first.
        settings: what is written down with the figures.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    background: int
    images_with_truth: int
    empty: NDArray[np.int64]
    class_names: tuple[str, ...]
    settings: dict[str, Any]

    def figures(self) -> dict[str, Any]:
        """Return what ``selection.json`` holds: counts and shares by Fig. 8's rule, None where there is no truth."""
        names: dict[str, str] = {"targets": "target", "biased": "biased", "between": "between"}
        kinds = {name: int(self.before.sum(0)[KINDS.index(one)]) for name, one in names.items()}
        kinds |= {f"selected_{name}": int(self.after.sum(0)[KINDS.index(one)]) for name, one in names.items()}
        return {
            "target_share": self._shares(self.after),
            "target_share_before": self._shares(self.before),
            "candidates": int(self.before.sum()),
            "selected": int(self.after.sum()),
            "background": self.background,
            **(kinds if self.images_with_truth else dict.fromkeys(kinds)),
            "images_with_truth": self.images_with_truth,
            "candidates_per_class": self._by_class(self.before.sum(1)),
            "selected_per_class": self._by_class(self.after.sum(1)),
            "empty_regions": {
                name: count for name, count in zip(self.class_names, self.empty.tolist(), strict=True) if count
            },
            **self.settings,
        }

    def print(self) -> None:
        """Print a row a class: candidates, selected, target share before and after; warn of classes without any."""
        figures = self.figures()
        about = "{distance} distance, α {alpha}; {split}, {images} images, targets by {images_with_truth} with truth"
        table = Table(title=f"Debiased centroids ({about.format(**figures)})")
        table.add_column("class")
        for column in ("candidates", "selected", "targets before", "targets after"):
            table.add_column(column, justify="right")
        shown = [name for name in self.class_names[1:] if figures["candidates_per_class"][name]]
        for name in ("all", *shown[:PRINTED]):
            counts = [
                figures[key] if name == "all" else figures[f"{key}_per_class"][name]
                for key in ("candidates", "selected")
            ]
            shares = [figures[key][name] for key in ("target_share_before", "target_share")]
            table.add_row(name, *map(str, counts), *("–" if share is None else f"{share:.1%}" for share in shares))
        terminal().print(table)
        if len(shown) > PRINTED:
            terminal().print(f"and {len(shown) - PRINTED} more classes: selection.json")
        whole = [name for name in shown if name not in self._parted()] if "kinds" in figures else []
        if whole:
            terminal().print(f"of one kind, whose labels stay as they are: {', '.join(whole[:PRINTED])}")
        lost = [name for name in figures["empty_regions"] if figures["candidates_per_class"].get(name) == 0]
        if lost:
            rank_zero_warn(
                f"no centroid for {', '.join(lost)}: in no image the majority of a cell; "
                "labels of images with no other class stay as they are"
            )

    def _shares(self, counts: NDArray[np.int64]) -> dict[str, float | None]:
        single = zip(self.class_names[1:], counts[1:], strict=True)
        return {"all": target_share(counts.sum(0)), **{name: target_share(own) for name, own in single}}

    def _parted(self) -> set[str]:
        return {name for name, found in self.settings["kinds"].items() if found["parted"]}

    def _by_class(self, counts: NDArray[np.int64]) -> dict[str, int]:
        return dict(zip(self.class_names[1:], counts[1:].tolist(), strict=True))
