"""Fig. 3: biased objects are like the background of other images, target objects are not (§1, Eq. 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from datamodules.files.labels import read_label
from datamodules.files.tree import Tree
from mars_pl.commands.figures.distance_maps import DistanceMaps, map_pair, nearest_background
from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.figures.pixel_features import features_of
from mars_pl.commands.figures.style import WIDTH, blank, colours, heat_map, overlaid
from mars_pl.commands.report.candidate_vectors import candidate_pairs, table_parts
from mars_pl.commands.report.images.pictures import read_image
from mars_pl.commands.report.run import Run
from mars_pl.commands.report.shapes import SELECTION
from mars_pl.debias.defaults import DISTANCE, NEAREST_COUNT
from mars_pl.debias.distance import find_background

TITLE = "Distances to the background of all images"

IMAGES = 2
"""Rows of the figure, of different classes."""

WORDS = {"mean": "the mean of the distances to", "minimum": "the distance to the nearest of",
         "nearest": "the mean of the distances to the nearest few of"}  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """The rows of the figure.

    Attributes:
        maps: one an image.
        distance: how Eq. 1 was taken, `mean` or `minimum`.
        background: how many background centroids there are.
        class_names: background first.
    """

    maps: tuple[DistanceMaps, ...]
    distance: str
    background: int
    class_names: tuple[str, ...]


def collect(run: Run) -> Compared:
    """Choose images of which one candidate was selected and another not, and measure all their cells.

    Raises:
        LackingError: where there are no candidates, no pseudo labels, no network or no such image.
    """
    table, pseudo = run.candidates(), run.labels("pseudo")
    if table is None:
        raise LackingError("the run has no table of candidates (candidates.parquet of debias-centroids)")
    if pseudo is None:
        raise LackingError("the run's pseudo labels are not there (labels.pseudo in run.json)")
    pairs = candidate_pairs(table, IMAGES)
    if not pairs:
        raise LackingError("no image has two candidates of a class of which one was selected and the other was not")
    features, tree = features_of(run), Tree(run.root)
    selection = run.stage_json("debias-centroids", "selection.json", SELECTION) or {}
    distance = selection.get("distance", DISTANCE)
    background = find_background(
        ((classes, vectors) for _, classes, vectors in table_parts(table)),
        distance,
        selection.get("nearest_count", NEAREST_COUNT),
    )
    maps = [
        map_pair(
            pair,
            nearest_background(table_parts(table), pair),
            background,
            features,
            lambda image_id: read_image(tree.image(image_id)),
            lambda image_id: read_label(pseudo / f"{image_id}.png"),
        )
        for pair in pairs
    ]
    return Compared(tuple(maps), distance, background.count, run.class_names)


def draw(data: Compared) -> Figure:
    """Draw a row an image: crosses on Yᵇ, the map of Eq. 1, and for each cross the background most like it."""
    height, width = data.maps[0].image.shape[:2]
    figure = blank(WIDTH, len(data.maps) * (WIDTH / 4 * height / width + 0.24) + 0.62)
    grid = figure.subplots(len(data.maps), 4, squeeze=False)
    crosses = (colours()["target"], colours()["biased"])
    low = min(float(one.distances.min()) for one in data.maps)
    high = max(float(one.distances.max()) for one in data.maps)
    near = [other.distances for one in data.maps for other in one.nearest]
    reach = (float(min(away.min() for away in near)), float(max(away.max() for away in near)))
    for line, one in zip(grid, data.maps, strict=True):
        size = one.image.shape[:2]
        line[0].imshow(overlaid(one.image, one.label, len(data.class_names)))
        whole = _map(line[1], one.distances, size, low, high)
        for axes in line[:2]:
            for place, colour in zip(one.places, crosses, strict=True):
                _cross(axes, place, size, colour)
        for axes, other, colour in zip(line[2:], one.nearest, crosses, strict=True):
            shown = _map(axes, other.distances, other.image.shape[:2], *reach, under=other.image)
            _ring(axes, other.place, other.image.shape[:2], colour)
            axes.set_title(f"nearest elsewhere: {other.away:.2f}", fontsize=8.5, color=colour)
        line[0].set_title(f"{data.class_names[one.pair.class_index]}: Yᵇ and its candidates", fontsize=8.5)
        line[1].set_title("distance to all background", fontsize=8.5)
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
    figure.colorbar(whole, ax=grid[:, :2], orientation="horizontal", shrink=0.5, aspect=40, pad=0.02,
                    label="distance by Eq. 1: dark is like background")  # fmt: skip
    figure.colorbar(shown, ax=grid[:, 2:], orientation="horizontal", shrink=0.5, aspect=40, pad=0.02,
                    label="distance from the cross: dark is alike")  # fmt: skip
    return figure


def _map(axes: Any, values: Any, size: tuple[int, ...], low: float, high: float, under: Any = None) -> Any:
    extent = (0, size[1], size[0], 0)
    shown = axes.imshow(values, cmap=heat_map(), vmin=low, vmax=high, extent=extent, interpolation="bilinear")
    if under is not None:
        axes.imshow(under.mean(axis=2), cmap="gray", alpha=0.22, extent=extent)
    return shown


def _cross(axes: Any, place: tuple[float, float], size: tuple[int, ...], colour: str) -> None:
    at = (place[1] * size[1], place[0] * size[0])
    for shade, wide in (("white", 4.2), (colour, 2.2)):
        axes.plot(*at, marker="x", markersize=11, markeredgewidth=wide, color=shade)


def _ring(axes: Any, place: tuple[float, float], size: tuple[int, ...], colour: str) -> None:
    at, radius = (place[1] * size[1], place[0] * size[0]), 0.06 * float(np.hypot(size[0], size[1]))
    for shade, wide in (("white", 3.6), (colour, 1.8)):
        axes.add_patch(Circle(at, radius, fill=False, edgecolor=shade, linewidth=wide))


def caption(data: Compared) -> str:
    """Say what the crosses and the maps are."""
    names = {"target": "target", "biased": "biased", "between": "between", "unknown": "no truth"}
    told = "; ".join(
        f"{data.class_names[one.pair.class_index]}, image {one.pair.image_id}: "
        + ", ".join(
            f"distance {away:.2f} ({names[kind]})"
            for away, kind in zip(one.pair.distances, one.pair.kinds, strict=True)
        )
        for one in data.maps
    )
    return (
        "As in Fig. 3. Left: the pseudo label and its two candidates, a cross where each is nearest: teal "
        "the one that was selected, magenta the one that was left out. Then the distance of every pixel by Eq. 1, "
        f"{WORDS[data.distance]} all {data.background:,} background centroids. Right: for each cross the other image "
        "whose background is most like it, with the distance of its pixels from the cross; the ring marks the nearest. "
        f"A companion finds itself as plain background elsewhere, an object does not. {told}."
    )
