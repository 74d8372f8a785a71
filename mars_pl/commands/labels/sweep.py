"""The sweep of a background score against a truth: its curve, and the score that is best on a named split."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.table import Table

from datamodules.errors import DataError
from datamodules.files.labels import label_codes, read_label
from datamodules.terminal import terminal
from mars_pl.commands.json_files import null_for_nan, write_json
from mars_pl.commands.labels.from_scores import LabelRule, ScoreFolder, label_of
from mars_pl.commands.metrics_table import fraction, percent
from mars_pl.metrics.confusion import class_counts
from mars_pl.metrics.scores import Scores

SweptCounts = Mapping[float, NDArray[np.int64]]
"""Background score → pixels of each class that are right, predicted and true, (3, C), in the labels made at it."""


def swept_scores(text: str) -> tuple[float, ...]:
    """Read `.1,.2,.3` or `from:to:step`, both ends meant.

    Raises:
        ArgumentTypeError: where it is neither, a score lies outside 0…1, or there is none.
    """
    try:
        if ":" in text:
            first, last, step = (float(word) for word in text.split(":"))
            count = int(np.floor((last - first) / step + 1e-6)) + 1
            scores = [round(first + index * step, 6) for index in range(count)]
        else:
            scores = [float(word) for word in text.split(",")]
    except (ValueError, ZeroDivisionError):
        scores = []
    if not scores or not all(0 <= score <= 1 for score in scores):
        raise argparse.ArgumentTypeError(f"{text}: write scores of 0…1 as .1,.2,.3 or from:to:step")
    return tuple(dict.fromkeys(scores))


@dataclass(frozen=True)
class Count:
    """Counts one image at each score; a worker process can be given it.

    Args:
        source: of the scores.
        truth: folder of `<id>.png`; 255 is skipped.
        rule: whose background score is swept.
        swept: background scores.
    """

    source: ScoreFolder
    truth: Path
    rule: LabelRule
    swept: Sequence[float]

    def __call__(self, image_id: str) -> SweptCounts:
        """Return the counts at each score; raises DataError where scores or truth are at fault."""
        scores = self.source.read(image_id)
        path = self.truth / f"{image_id}.png"
        truth = read_label(path, self.source.num_classes)
        if truth.shape != scores.maps.shape[1:]:
            height, width = scores.maps.shape[1:]
            sizes = f"{truth.shape[1]}×{truth.shape[0]} pixels, the scores {width}×{height}"
            raise DataError(f"{path}: the truth has {sizes}; are they of the same images?")
        image = self.source.image(image_id) if self.rule.crf else None
        ignored = label_codes(self.source.num_classes).ignored
        counts = {}
        for score in self.swept:
            label = label_of(scores, replace(self.rule, background=score), image)
            try:
                counts[score] = class_counts(label, truth, self.source.num_classes, ignored)
            except ValueError as error:
                raise DataError(f"{path}: {error}; is --data the right one?") from None
        return counts


@dataclass(frozen=True)
class Sweep:
    """The figures at each background score.

    Args:
        split: name of the images it was measured on.
        images: how many they were.
        refinement: `crf` or `none`.
        scores: background score → figures.
        set_beforehand: the score the labels are made at, where the sweep does not choose it.
    """

    split: str
    images: int
    refinement: str
    scores: Mapping[float, Scores]
    set_beforehand: float | None = None

    @classmethod
    def from_counts(
        cls,
        counts: Iterable[SweptCounts],
        over: Sequence[int] | None,
        split: str,
        rule: LabelRule,
        swept: Sequence[float],
    ) -> Sweep:
        """Sum the counts of the images; means are taken over the classes `over`, None for all.

        Raises:
            DataError: where no pixel was counted.
        """
        totals, images = dict.fromkeys(swept, np.zeros((3, 0), dtype=np.int64)), 0
        for count in counts:
            totals = {score: totals[score] + count[score] if images else count[score] for score in swept}
            images += 1
        if not any(total.any() for total in totals.values()):
            raise DataError(f"the truth of {split} is 255 everywhere: nothing can be chosen by it; leave --sweep away")
        scores = {score: Scores.from_counts(total, over) for score, total in totals.items()}
        return cls(split, images, "crf" if rule.crf else "none", scores, rule.background)

    @property
    def best(self) -> float:
        """The score with the highest mIoU; the lowest of several."""
        return min(self.scores, key=lambda score: (-self.scores[score].miou, score))

    @property
    def chosen(self) -> float | None:
        """The score that the sweep chose; None where it was set beforehand."""
        return self.best if self.set_beforehand is None else None

    @property
    def verdict(self) -> str:
        """Where the labels' score comes from, in words."""
        where = f"{self.split} ({self.images:,} images)"
        return f"swept on {where}, set beforehand" if self.chosen is None else f"chosen on {where}"

    @property
    def rows(self) -> list[dict[str, float | None]]:
        """The curve: background score, mIoU, FP and FN, by rising score; None where there was nothing to measure."""
        figures = [(score, {"miou": s.miou, "fp": s.fp, "fn": s.fn}) for score, s in sorted(self.scores.items())]
        return [
            {"background": score, **{key: null_for_nan(value) for key, value in row.items()}} for score, row in figures
        ]

    def print(self) -> None:
        """Print the curve; an arrow marks the best score."""
        table = Table(box=SIMPLE_HEAD, title=f"Background score on {self.split}, refinement {self.refinement}")
        for heading in ("background", "mIoU %", "FP", "FN"):
            table.add_column(heading, justify="right")
        table.add_column("")
        highest = self.scores[self.best].miou
        for row in self.rows:
            bar = "█" * round(20 * (row["miou"] or 0) / highest) if highest > 0 else ""
            mark = " ←" if row["background"] == self.best else "  "
            cells = [f"{row['background']:g}", percent(row["miou"]) + mark, fraction(row["fp"]), fraction(row["fn"])]
            table.add_row(*cells, bar)
        used = self.set_beforehand if self.chosen is None else self.chosen
        console = terminal()
        console.print(table)
        console.print(f"background score {used:g}, {self.verdict}")

    def write(self, path: Path) -> None:
        """Write the curve as JSON."""
        content: dict[str, Any] = {"split": self.split, "images": self.images, "refinement": self.refinement}
        content |= {"chosen": self.chosen, "scores": self.rows}
        write_json(path, content)
