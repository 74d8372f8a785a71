"""Which images a gallery shows: those with the most removed pixels, and some of which little was removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.errors import DataError
from datamodules.files.labels import Label, codes_in, read_label
from datamodules.files.shards.place import File
from datamodules.progress import with_progress

LITTLE_REMOVED = 0.05
"""Share of a pseudo label's object pixels up to which little was removed."""


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


def removal(image_id: str, before: Label, after: Label, path: File) -> Removal | None:
    """Measure what was removed from one pseudo label; None where it shows no object.

    Args:
        image_id: the image.
        before: its pseudo label Yᵇ.
        after: its debiased label Yᵈᵇ.
        path: of the latter, to be named.

    Raises:
        DataError: where the two differ in size.
    """
    if before.shape != after.shape:
        raise DataError(f"{path}: is {after.shape}, its pseudo label is {before.shape}; run the debias stage again")
    biased = codes_in(before).biased
    objects = np.bincount(before[(before > 0) & (before < biased)], minlength=1)
    removed = np.bincount(before[(after == biased) & (before < biased)], minlength=1)
    if not objects.sum():
        return None
    main = removed if removed.sum() else objects
    return Removal(image_id, int(main.argmax()), int(removed.sum()), int(objects.sum()))


def removals(pseudo: Path, debiased: Path) -> list[Removal]:
    """Measure what was removed from each pseudo label that shows an object, in the order of the ids."""
    result = []
    paths = sorted(debiased.glob("[!.]*.png"))
    for path in with_progress(paths, len(paths), "looking for pictures"):
        if (pseudo / path.name).is_file():
            result.append(removal(path.stem, read_label(pseudo / path.name), read_label(path), path))
    return [item for item in result if item is not None]


def choose(removed: Sequence[Removal], count: int) -> tuple[list[Removal], list[Removal]]:
    """Choose images: two thirds with the most removed pixels, the rest of those that lost `LITTLE_REMOVED` at most.

    Both are taken from each class in turn, so that one class does not fill the gallery; ties fall by id.
    """
    little_count = count // 3
    most = _in_turn(sorted(removed, key=lambda item: (-item.removed, item.image_id)), count - little_count)
    rest = [item for item in removed if item not in most and item.share <= LITTLE_REMOVED]
    little = _in_turn(sorted(rest, key=lambda item: (item.share, -item.object_pixels, item.image_id)), little_count)
    return most, little


def _in_turn(ordered: Sequence[Removal], count: int) -> list[Removal]:
    turns: dict[int, int] = defaultdict(int)
    ranked = []
    for place, item in enumerate(ordered):
        ranked.append((turns[item.main_class], place, item))
        turns[item.main_class] += 1
    return [item for _, _, item in sorted(ranked, key=lambda entry: entry[:2])[:count]]
