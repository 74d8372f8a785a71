"""K-means inside each region of one image (paper §3.2)."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from mars_pl.debias.batched_kmeans import batched_kmeans, largest_first
from mars_pl.debias.defaults import CLUSTERING, SPHERICAL, Clustering

RESTARTS = 4
ITERATIONS = 100


def image_seed(image_id: str) -> int:
    """Return the seed of an image's K-means, the same in every process (Python's own hash is salted)."""
    return zlib.crc32(image_id.encode())


@lru_cache(maxsize=1)
def _thread_controller() -> Any:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Hold scikit-learn and BLAS to one thread: with several, partial sums are added in the order in which they end."""
    held: AbstractContextManager[Any] = _thread_controller().limit(limits=1)
    return held


def kmeans(features: Tensor, k: int, seed: int) -> tuple[Tensor, Tensor]:
    """Cluster points by ordinary K-means, the same way whatever the number of threads or processes.

    Args:
        features: (n, D) floats, n ≥ 1.
        k: clusters wanted; fewer come back where there are fewer points, or fewer that differ.
        seed: of k-means++ and its restarts.

    Returns:
        Centroids (k', D) float32, the largest cluster first, and the assignment (n,) int64 in 0…k' − 1.

    Raises:
        ValueError: where there is no point or no cluster to make.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    if len(features) == 0 or k < 1:
        raise ValueError(f"K-means needs a point and a cluster, got {len(features)} points and k = {k}")
    points = features.detach().cpu().double().numpy()
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters: handled below
        fitted = KMeans(min(k, len(points)), n_init=RESTARTS, max_iter=ITERATIONS, random_state=seed).fit(points)
    return largest_first(torch.from_numpy(fitted.cluster_centers_).float(), torch.from_numpy(fitted.labels_).long())


def cluster_regions(
    cells: Tensor,
    regions: Tensor,
    clusters: Sequence[int],
    seed: int,
    *,
    spherical: bool = SPHERICAL,
    clustering: Clustering = CLUSTERING,
) -> list[tuple[Tensor, Tensor]]:
    """Find the centroids of each region, and for every cell of the image the nearest of them.

    All distances of the method are cosines, so cells are brought to unit length before clustering and centroids after.
    The nearest centroid of the other cells serves pixels of the region that lie in cells of another majority.

    Args:
        cells: (n, D) dense features of all cells of an image.
        regions: (R, n) bool, the cells of each class.
        clusters: R times K_fg or K_bg.
        seed: see ``image_seed``.
        spherical: False clusters the cells at their own lengths; centroids have unit length either way.
        clustering: ``scikit-learn`` on the processor, one by one; ``batched``, all at once where ``cells`` lie.

    Returns:
        Of each region unit centroids (k', D) float32, none for an empty region, and the nearest centroid (n,) int64,
        −1 where none; on the processor.

    Raises:
        ValueError: where there is no such clustering, or features are not finite.
    """
    if clustering not in get_args(Clustering):
        raise ValueError(f"clustering {clustering!r} is none of {', '.join(get_args(Clustering))}")
    device = cells.device if clustering == "batched" else "cpu"
    cells, regions = cells.detach().to(device).float(), regions.to(device)
    points = F.normalize(cells, dim=1) if spherical else cells
    filled = regions.any(dim=1).nonzero().flatten().tolist()
    inside, wanted = [points[regions[row]] for row in filled], [clusters[row] for row in filled]
    if clustering == "batched":
        fitted = batched_kmeans(inside, wanted, [seed] * len(filled), restarts=RESTARTS, iterations=ITERATIONS)
    else:
        fitted = [kmeans(region, k, seed) for region, k in zip(inside, wanted, strict=True)]
    nothing = torch.zeros(0, cells.shape[1]), torch.full((len(cells),), -1)
    found = [nothing] * len(regions)
    for row, (means, within) in zip(filled, fitted, strict=True):
        assignment = torch.cdist(points, means).argmin(dim=1)
        assignment[regions[row]] = within
        found[row] = F.normalize(means, dim=1).cpu(), assignment.cpu()
    return found
