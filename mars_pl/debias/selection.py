"""The debiased centroids of a data set, and the candidates they were chosen from (paper §3.2, Eq. 1–3)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mars_pl.debias.centroids import Candidates, class_means, select
from mars_pl.debias.defaults import ALPHA, DISTANCE, NEAREST_COUNT, Distance
from mars_pl.debias.distance import find_background


@dataclass(frozen=True)
class DebiasedCentroids:
    """One centroid a class, and every candidate, in the order of image id, class and cluster.

    Attributes:
        centroids: (num_classes, D) float32, not of unit length; row 0 is the mean of the unit background centroids, the
            row of a class without candidates is zero.
        counts: (num_classes,) int64, how many candidates made each row.
        foreground: N candidates.
        background: N_bg background centroids.
        distances: (N,) of Eq. 1.
        selected: (N,) bool of Eq. 3.
    """

    centroids: Tensor
    counts: Tensor
    foreground: Candidates
    background: Candidates
    distances: Tensor
    selected: Tensor


def select_centroids(
    candidates: Candidates,
    num_classes: int,
    alpha: float = ALPHA,
    distance: Distance = DISTANCE,
    nearest_count: int = NEAREST_COUNT,
) -> DebiasedCentroids:
    """Choose among the candidates of all images, background among them, in any order.

    Args:
        candidates: N + N_bg rows.
        num_classes: background included.
        alpha: share of each class's candidates that make its debiased centroid (paper: .40).
        distance: to all background centroids, see ``Distance``.
        nearest_count: how many, for ``nearest``.

    Raises:
        ValueError: where there is no background or no foreground among the candidates.
    """
    candidates = candidates.take(candidates.order())
    is_background = candidates.classes == 0
    table = [(candidates.classes, candidates.vectors)]
    background = find_background(table, distance, nearest_count)
    distances = background.distances(table)
    selected = select(candidates.classes[~is_background], distances, alpha)
    centroids, counts = class_means(table, selected, num_classes)
    centroids[0], counts[0] = background.mean.float(), background.count
    foreground, background_part = candidates.take(~is_background), candidates.take(is_background)
    return DebiasedCentroids(centroids, counts, foreground, background_part, distances, selected)
