"""The vectors of a run's candidates: those of each class, and pairs of which one was selected (Fig. 3, Fig. 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from callbacks.writing.candidates.table_file import VECTOR, batches, class_names, reading
from mars_pl.commands.report.selection import numbers_in
from mars_pl.metrics.target_share import KINDS, kinds

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Pair:
    """Two candidates of one class of one image, the selected one first.

    Attributes:
        image_id: the image.
        class_index: from 1.
        vectors: (2, D).
        distances: of Eq. 1.
        kinds: by Fig. 8's rule, `unknown` without truth.
    """

    image_id: str
    class_index: int
    vectors: NDArray[np.float32]
    distances: tuple[float, float]
    kinds: tuple[str, str]


def candidate_pairs(path: Path, count: int) -> list[Pair]:
    """Return pairs of which one was selected and the other was not, each of another class.

    Where there is truth, the selected one is a target and the other biased. Of each class the pair with the largest
    difference of distances is taken, weighed by the root of the smaller one's pixels, so that both can be seen.

    Args:
        path: of the table.
        count: how many are wanted.

    Raises:
        DataError: as ``read_candidates``.
    """
    with reading(path) as file:
        columns = ["id", "class", "pixels", "distance", "selected", "iou"]
        table = file.read(columns=columns)
        ids = table["id"]
        classes, pixels, distances, iou = (
            table[name].to_numpy().astype(np.float64) for name in ("class", "pixels", "distance", "iou")
        )
        selected = numbers_in(table["selected"].combine_chunks()) == 1
        order = ids.combine_chunks().dictionary_encode().indices.to_numpy()
        found = kinds(iou)
        together = (order[1:] == order[:-1]) & (classes[1:] == classes[:-1]) & (classes[1:] > 0)
        first = np.flatnonzero(together & (selected[1:] != selected[:-1]))
        above = np.where(selected[first], first, first + 1)  # the selected row, and the one beside it
        below = 2 * first + 1 - above
        as_told = (found[above] == KINDS.index("target")) & (found[below] == KINDS.index("biased"))
        unknown = (found[above] == KINDS.index("unknown")) & (found[below] == KINDS.index("unknown"))
        seen = as_told | unknown
        above, below = above[seen], below[seen]
        worth = (distances[above] - distances[below]) * np.sqrt(np.minimum(pixels[above], pixels[below]))
        chosen: list[int] = []
        for place in np.argsort(-worth, kind="stable"):
            if len(chosen) < count and classes[above[place]] not in classes[above[chosen]]:
                chosen.append(int(place))
        rows = [(int(above[place]), int(below[place])) for place in chosen]
        every = _vectors_at(file, rows)
        return [
            Pair(
                ids[one].as_py(),
                int(classes[one]),
                of_pair,
                (float(distances[one]), float(distances[other])),
                (KINDS[found[one]], KINDS[found[other]]),
            )
            for (one, other), of_pair in zip(rows, every, strict=True)
        ]


def _vectors_at(file: Any, pairs: list[tuple[int, int]]) -> list[NDArray[np.float32]]:
    """The vectors of pairs of rows, each (2, D); no more of the table is held than a part."""
    found: dict[int, NDArray[np.float32]] = {}
    start = 0
    for batch in batches(file, VECTOR) if pairs else ():
        here = sorted({row for pair in pairs for row in pair if start <= row < start + len(batch)})
        for row in here:
            found[row] = np.array(batch[VECTOR][row - start].as_py(), dtype=np.float32)
        start += len(batch)
    return [np.stack([found[row] for row in pair]) for pair in pairs]


def table_parts(path: Path) -> Iterator[tuple[list[str], Tensor, Tensor]]:
    """Read the whole table in parts: image ids, classes (n,) with 0 for background, vectors (n, D).

    Raises:
        DataError: as ``read_candidates``.
    """
    import torch  # not above, so that commands that draw no vectors start at once

    with reading(path) as file:
        for batch in batches(file, "id", "class", VECTOR):
            vectors = np.array(batch[VECTOR].flatten(), dtype=np.float32).reshape(len(batch), -1)
            classes = torch.from_numpy(numbers_in(batch["class"]).astype(np.int64))
            yield batch["id"].to_pylist(), classes, torch.from_numpy(vectors)


@dataclass(frozen=True)
class ClassVectors:
    """Candidates of one class: ``vectors`` (n, D), ``kinds`` (n,) places in ``KINDS``, ``selected`` (n,) bool."""

    vectors: NDArray[np.float32]
    kinds: NDArray[np.int8]
    selected: NDArray[np.bool_]


def vectors_by_class(path: Path, most: int) -> dict[str, ClassVectors]:
    """Read the vectors of every class, the background's too; of a class with more than `most`, evenly spaced ones.

    Raises:
        DataError: as ``read_candidates``.
    """
    with reading(path) as file:
        names = class_names(file)
        classes = np.concatenate([numbers_in(batch["class"]) for batch in batches(file, "class")])
        kept = np.zeros(len(classes), dtype=bool)
        for index in np.unique(classes):
            rows = np.flatnonzero(classes == index)
            kept[rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)]] = True
        parts, start = [], 0
        for batch in batches(file, "selected", "iou", VECTOR):
            part = batch.take(np.flatnonzero(kept[start : start + len(batch)]))
            start += len(batch)
            vectors = np.array(part[VECTOR].flatten(), dtype=np.float32).reshape(len(part), -1)
            parts.append(
                (vectors, kinds(numbers_in(part["iou"]).astype(np.float64)), numbers_in(part["selected"]) == 1)
            )
        vectors, found, chosen = (np.concatenate([part[place] for part in parts if len(part[0])]) for place in range(3))
        of = classes[kept]
        return {
            names[index]: ClassVectors(vectors[of == index], found[of == index], chosen[of == index])
            for index in np.unique(of)
        }
