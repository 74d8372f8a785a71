"""Which pictures a gallery shows: those with the most removed pixels, and some with little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from datamodules.errors import DataError
from datamodules.files.labels import codes_in, read_label
from datamodules.terminal import terminal

_PATIENCE = 500
"""Labels from which on a progress bar appears: reading them takes more than a second or two."""


@dataclass(frozen=True)
class Removal:
    """How much of one image's pseudo label was removed, and of which class most."""

    image_id: str
    main_class: int
    removed: int
    object_pixels: int

    @property
    def share(self) -> float:
        """Removed pixels over the pseudo label's object pixels."""
        return self.removed / self.object_pixels


def removals(pseudo: Path, debiased: Path) -> list[Removal]:
    """Measure what was removed from each pseudo label that shows an object, in the order of the ids."""
    result = []
    paths = sorted(debiased.glob("[!.]*.png"))
    for path in track(
        paths, "looking for pictures", console=terminal(stderr=True), transient=True, disable=len(paths) < _PATIENCE
    ):
        if not (pseudo / path.name).is_file():
            continue
        before, after = read_label(pseudo / path.name), read_label(path)
        if before.shape != after.shape:
            raise DataError(f"{path}: is {after.shape}, its pseudo label is {before.shape}; run the debias stage again")
        biased = codes_in(before).biased
        objects = np.bincount(before[(before > 0) & (before < biased)], minlength=1)
        removed = np.bincount(before[(after == biased) & (before < biased)], minlength=1)
        if objects.sum():
            main = removed if removed.sum() else objects
            result.append(Removal(path.stem, int(main.argmax()), int(removed.sum()), int(objects.sum())))
    return result


def choose(removed: Sequence[Removal], count: int) -> tuple[list[Removal], list[Removal]]:
    """Choose pictures: two thirds with the most removed pixels, the rest with the smallest removed share.

    Both are taken from each class in turn, so that one class does not fill the gallery; ties fall by id.
    """
    little_count = count // 3
    most = _in_turn(sorted(removed, key=lambda item: (-item.removed, item.image_id)), count - little_count)
    rest = [item for item in removed if item not in most]
    little = _in_turn(sorted(rest, key=lambda item: (item.share, -item.object_pixels, item.image_id)), little_count)
    return most, little


def _in_turn(ordered: Sequence[Removal], count: int) -> list[Removal]:
    turns: dict[int, int] = defaultdict(int)
    ranked = []
    for place, item in enumerate(ordered):
        ranked.append((turns[item.main_class], place, item))
        turns[item.main_class] += 1
    return [item for _, _, item in sorted(ranked, key=lambda entry: entry[:2])[:count]]
