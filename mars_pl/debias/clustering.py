"""K-means inside one region of one image (paper §3.2)."""

from __future__ import annotations

import warnings
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mars_pl.debias.defaults import SPHERICAL

RESTARTS = 4
ITERATIONS = 100


def image_seed(image_id: str) -> int:
    """Return the seed of an image's K-means, the same in every process (Python's own hash is salted)."""
    return zlib.crc32(image_id.encode())


@lru_cache(maxsize=1)
def _thread_controller() -> Any:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


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
    # One thread: with several, partial sums are added in the order in which threads end.
    with warnings.catch_warnings(), _thread_controller().limit(limits=1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters: handled below
        fitted = KMeans(min(k, len(points)), n_init=RESTARTS, max_iter=ITERATIONS, random_state=seed).fit(points)
    sizes = np.bincount(fitted.labels_, minlength=len(fitted.cluster_centers_))
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    rank = np.zeros(len(sizes), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return torch.from_numpy(fitted.cluster_centers_[order]).float(), torch.from_numpy(rank[fitted.labels_])


def cluster_region(
    cells: Tensor, region: Tensor, k: int, seed: int, *, spherical: bool = SPHERICAL
) -> tuple[Tensor, Tensor]:
    """Find the centroids of one region, and for every cell of the image the nearest of them.

    All distances of the method are cosines, so cells are brought to unit length before clustering and centroids after.
    The nearest centroid of the other cells serves pixels of the region that lie in cells of another majority.

    Args:
        cells: (n, D) dense features of all cells of an image.
        region: (n,) bool, the cells of one class.
        k: K_fg or K_bg.
        seed: see ``image_seed``.
        spherical: False clusters the cells at their own lengths; centroids have unit length either way.

    Returns:
        Unit centroids (k', D) float32, none for an empty region, and the nearest centroid (n,) int64, −1 where none.
    """
    cells = cells.detach().cpu().float()
    region = region.cpu()
    if not bool(region.any()):
        return cells.new_zeros(0, cells.shape[1]), torch.full((len(cells),), -1)
    points = F.normalize(cells, dim=1) if spherical else cells
    means, within = kmeans(points[region], k, seed)
    assignment = torch.cdist(points, means).argmin(dim=1)
    assignment[region] = within
    return F.normalize(means, dim=1), assignment
