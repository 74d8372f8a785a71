"""The candidates of one run, read back for Fig. 8: targets and biased centroids per class, vectors in the plane."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callbacks.writing.candidates.table_file import VECTOR, batches, class_names, reading
from mars_pl.metrics.target_share import KINDS, kind_counts, kinds, target_share


@dataclass(frozen=True)
class Candidate:
    """One foreground centroid of one image."""

    image_id: str
    class_name: str
    pixels: int
    distance: float
    selected: bool
    iou: float | None

    @property
    def kind(self) -> str:
        """By Fig. 8's rule: `target`, `biased`, `between`, or `unknown` where there is no truth."""
        return KINDS[int(kinds(np.array(math.nan if self.iou is None else self.iou)))]


@dataclass(frozen=True)
class Candidates:
    """The foreground centroids of all images, without their ids and vectors, for which a large table has no room.

    Attributes:
        class_names: background first.
        classes: int32 (N,), from 1.
        distances: float64 (N,).
        selected: bool (N,).
        kinds: int8 (N,), places in ``KINDS``.
    """

    class_names: tuple[str, ...]
    classes: NDArray[np.int32]
    distances: NDArray[np.float64]
    selected: NDArray[np.bool_]
    kinds: NDArray[np.int8]

    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count each class's candidates, and its selected ones, by their kinds: twice int64 (num_classes, 4)."""
        chosen, number = self.selected, len(self.class_names)
        after = kind_counts(self.classes[chosen], self.kinds[chosen], number)
        return kind_counts(self.classes, self.kinds, number), after


def read_candidates(path: Path) -> Candidates:
    """Read the table of candidates.

    Raises:
        DataError: where it is no such table, or one of an earlier version.
    """
    parts = []
    with reading(path) as file:
        names = class_names(file)
        for batch in batches(file, "class", "distance", "selected", "iou"):
            classes, distances, selected, iou = (numbers_in(batch[name]) for name in batch.schema.names)
            if len(classes) and not 0 <= classes.min() <= classes.max() < len(names):
                raise ValueError(f"a class beyond the {len(names)} that are named")
            rows = classes > 0
            parts.append((classes[rows], distances[rows], selected[rows] > 0, kinds(iou[rows])))
        empty = (np.zeros(0, np.int32), np.zeros(0), np.zeros(0, bool), np.zeros(0, np.int8))
        return Candidates(names, *(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))


def candidates_of_image(path: Path, image_id: str) -> list[Candidate]:
    """Read the foreground candidates of one image.

    Raises:
        DataError: as ``read_candidates``.
    """
    return [
        found for found, _ in _rows(path, lambda batch: (numbers_in(batch["class"]) > 0) & _is(batch["id"], image_id))
    ]


def spread_candidates(path: Path, total: int, most: int) -> list[Candidate]:
    """Read all foreground candidates, or so many of them evenly spaced over the table.

    Args:
        path: of the table.
        total: how many there are.
        most: how many are wanted.

    Raises:
        DataError: as ``read_candidates``.
    """
    seen = 0

    def wanted(batch: Any) -> NDArray[np.bool_]:
        nonlocal seen
        rows = numbers_in(batch["class"]) > 0
        places = seen + rows.cumsum()  # from 1, among all foreground candidates
        seen += int(rows.sum())
        kept: NDArray[np.bool_] = rows & (places * most // total > (places - 1) * most // total)
        return kept if total > most else rows

    return [found for found, _ in _rows(path, wanted)]


def candidates_of_classes(path: Path, names: Sequence[str]) -> list[tuple[Candidate, NDArray[np.float32]]]:
    """Read the foreground candidates of some classes, each with its vector (D,).

    Raises:
        DataError: as ``read_candidates``.
    """
    with reading(path) as file:
        wanted = [index for index, name in enumerate(class_names(file)) if index and name in names]
    return _rows(path, lambda batch: np.isin(numbers_in(batch["class"]), wanted), VECTOR)


def _rows(path: Path, wanted: Callable[[Any], NDArray[np.bool_]], *more: str) -> list[tuple[Candidate, Any]]:
    found: list[tuple[Candidate, Any]] = []
    with reading(path) as file:
        names = class_names(file)
        for batch in batches(file, "id", "class", "pixels", "distance", "selected", "iou", *more):
            for row in batch.take(np.flatnonzero(wanted(batch))).to_pylist():
                about = (row["pixels"], row["distance"], row["selected"], row["iou"])
                vector = np.array(row[VECTOR], dtype=np.float32) if more else None
                found.append((Candidate(row["id"], names[row["class"]], *about), vector))
    return found


def numbers_in(column: Any) -> NDArray[Any]:
    """Return the numbers of an Arrow array, NaN for null."""
    return column.to_numpy(zero_copy_only=False)


def _is(column: Any, text: str) -> NDArray[np.bool_]:
    return np.array([value == text for value in column.to_pylist()], dtype=bool)


def shares(candidates: Candidates) -> list[dict[str, Any]]:
    """Count for each class that has candidates what kinds they and the selected ones are."""
    result = []
    for name, *groups in zip(candidates.class_names, *candidates.counts(), strict=True):
        if groups[0].any():
            entry: dict[str, Any] = {"name": name}
            for key, counts in zip(("before", "after"), groups, strict=True):
                entry[key] = dict(zip(KINDS, counts.tolist(), strict=True)) | {"all": int(counts.sum())}
                entry[f"{key}_share"] = target_share(counts)
            result.append(entry)
    return result


def plane(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Project vectors (N, D) onto their first two principal axes, (N, 2); an axis' largest entry is positive."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    flat = np.zeros((len(vectors), 2), dtype=np.float32)
    flat[:, : len(axes)] = centred @ axes.T
    return flat


def two_most_biased(entries: Sequence[dict[str, Any]], least: int = 6) -> list[str]:
    """Return the two classes with the smallest target share among all their candidates, at least `least` of them."""
    known = [entry for entry in entries if entry["before_share"] is not None and entry["before"]["all"] >= least]
    return [entry["name"] for entry in sorted(known, key=lambda entry: (entry["before_share"], entry["name"]))[:2]]
