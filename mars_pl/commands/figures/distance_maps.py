"""How far each pixel of an image lies from the background of all images, and what lies nearest (Eq. 1, Fig. 3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.files.drawing import Picture
from datamodules.files.labels import Label, codes_in
from mars_pl.commands.report.candidate_vectors import Pair
from mars_pl.debias.distance import Background, Rows, unit
from mars_pl.debias.patch_labels import majority_label


@dataclass(frozen=True)
class Nearest:
    """The image whose background is most like one candidate.

    Attributes:
        image_id: its id.
        image: uint8 (H, W, 3).
        label: its Yᵇ, (H, W).
        away: of its background centroid from the candidate: (1 − cosine) / 2.
        distances: (h, w), of each of its cells from the candidate.
    """

    image_id: str
    image: Picture
    label: Label
    away: float
    distances: NDArray[np.float64]

    @property
    def place(self) -> tuple[float, float]:
        """Row and column of the nearest cell of its background, as shares of height and width."""
        grid = self.distances.shape
        cells = cells_of(self.label, grid, 0)
        masked = np.where(cells, self.distances, np.inf) if cells.any() else self.distances
        return cell_centre(int(masked.argmin()), grid)


@dataclass(frozen=True)
class DistanceMaps:
    """One image, its two candidates of a class, and what they are like.

    Attributes:
        pair: the candidates, the selected one first.
        image: uint8 (H, W, 3).
        label: its Yᵇ, (H, W).
        distances: (h, w), of each cell from the background centroids of all images, Eq. 1.
        places: of both candidates, row and column of the cell that is most like each, as shares of height and width.
        nearest: for both, the image with the background centroid that is most like it.
    """

    pair: Pair
    image: Picture
    label: Label
    distances: NDArray[np.float64]
    places: tuple[tuple[float, float], ...]
    nearest: tuple[Nearest, ...]


def background_distances(features: Tensor, background: Background) -> NDArray[np.float64]:
    """Measure every cell of features (D, h, w) by Eq. 1 as if it were a candidate: (h, w) in [0, 1]."""
    cells = features.flatten(1).T
    as_candidates: list[Rows] = [(torch.ones(len(cells), dtype=torch.long), cells)]
    return background.distances(as_candidates).reshape(features.shape[1:]).numpy()


def vector_distances(features: Tensor, vector: Tensor) -> NDArray[np.float64]:
    """Measure every cell of features (D, h, w) against one vector (D,): (1 − cosine) / 2, (h, w)."""
    cosine = unit(features.flatten(1).T) @ unit(vector[None])[0]
    return ((1 - cosine) / 2).reshape(features.shape[1:]).numpy()


def cells_of(label: Label, grid: tuple[int, ...], index: int) -> NDArray[np.bool_]:
    """Return which cells (h, w) of a grid over a label have a class as their majority."""
    codes = codes_in(label)
    found = majority_label(
        torch.from_numpy(label.astype(np.int64)),
        (grid[0], grid[1]),
        ignore_index=codes.ignored,
        biased_index=codes.biased,
    )
    return (found == index).numpy()


def cell_centre(cell: int, grid: tuple[int, ...]) -> tuple[float, float]:
    """Return a cell's row and column as shares of height and width."""
    row, column = divmod(cell, grid[1])
    return (row + 0.5) / grid[0], (column + 0.5) / grid[1]


def nearest_background(table: Iterable[tuple[Sequence[str], Tensor, Tensor]], pair: Pair) -> list[tuple[str, float]]:
    """Return for each candidate of a pair the other image with the nearest background centroid, and its distance.

    Args:
        table: parts of image ids, classes and vectors of all candidates.
        pair: whose vectors are held against them.

    Raises:
        ValueError: where no other image has a background.
    """
    wanted = unit(torch.from_numpy(pair.vectors))
    found: list[tuple[float, str]] = [(math.inf, "")] * len(wanted)
    for ids, classes, vectors in table:
        rows = [row for row in (classes == 0).nonzero().flatten().tolist() if ids[row] != pair.image_id]
        if rows:
            away, places = ((1 - wanted @ unit(vectors[rows]).T) / 2).min(dim=1)
            here = [(float(least), ids[rows[place]]) for least, place in zip(away, places.tolist(), strict=True)]
            found = [min(pair_) for pair_ in zip(found, here, strict=True)]
    if not all(name for _, name in found):
        raise ValueError(f"{pair.image_id}: no other image has a background centroid")
    return [(name, away) for away, name in found]


def map_pair(
    pair: Pair,
    others: Sequence[tuple[str, float]],
    background: Background,
    features: Callable[[str], Tensor],
    image: Callable[[str], Picture],
    label: Callable[[str], Label],
) -> DistanceMaps:
    """Make the maps of one image.

    Args:
        pair: its two candidates.
        others: for each the image of the nearest background, and how far that is.
        background: all background centroids.
        features: (D, h, w) of an image.
        image: uint8 (H, W, 3) of an image.
        label: Yᵇ of an image.
    """
    own, own_label = features(pair.image_id), label(pair.image_id)
    grid = tuple(own.shape[1:])
    region = cells_of(own_label, grid, pair.class_index)
    places = []
    for vector in torch.from_numpy(pair.vectors):
        away = vector_distances(own, vector)
        places.append(cell_centre(int(np.where(region, away, away + 2).argmin()), grid))
    nearest = [
        Nearest(name, image(name), label(name), away, vector_distances(features(name), vector))
        for (name, away), vector in zip(others, torch.from_numpy(pair.vectors), strict=True)
    ]
    distances = background_distances(own, background)
    return DistanceMaps(pair, image(pair.image_id), own_label, distances, tuple(places), tuple(nearest))
