"""The centroids of one image's regions (paper §3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mars_pl.debias.centroids import Candidates
from mars_pl.debias.clustering import cluster_regions, image_seed
from mars_pl.debias.defaults import (
    BACKGROUND_CLUSTERS,
    BIASED_INDEX,
    CLUSTERING,
    FOREGROUND_CLUSTERS,
    IGNORE_INDEX,
    LEVEL,
    SPHERICAL,
    STRIDE,
    Clustering,
    Level,
)
from mars_pl.debias.patch_labels import majority_label
from mars_pl.networks.nearest import resize_nearest


@dataclass  # not frozen: Lightning moves what predict returns
class ImageCandidates:
    """What one image contributes.

    Attributes:
        candidates: one row a centroid: background (class 0) first, then the image's classes.
        assignments: class index to (h, w) int64, the nearest centroid of that class in every cell.
        empty: classes of the image, 0 for background, whose region covers no cell: no centroid.
        features: (D, h, w), as they were given.
    """

    candidates: Candidates
    assignments: dict[int, Tensor]
    empty: tuple[int, ...]
    features: Tensor

    def region(self, row: int, label: Tensor) -> Tensor:
        """Return (H, W) bool: the pixels of the candidate's class in ``label`` nearest to this candidate."""
        return _region(label, self.assignments, int(self.candidates.classes[row]), int(self.candidates.clusters[row]))


def find_candidates(
    image_id: str,
    features: Tensor,
    label: Tensor,
    classes: Tensor,
    *,
    foreground_clusters: int = FOREGROUND_CLUSTERS,
    background_clusters: int = BACKGROUND_CLUSTERS,
    level: Level = LEVEL,
    stride: int = STRIDE,
    spherical: bool = SPHERICAL,
    clustering: Clustering = CLUSTERING,
    ignore_index: int = IGNORE_INDEX,
    biased_index: int = BIASED_INDEX,
) -> ImageCandidates:
    """Cluster the regions of background and of the image's own classes by K-means.

    Args:
        image_id: seeds the K-means.
        features: (D, h, w) dense features that cover the whole image.
        label: (H, W) integer class indices Yᵇ.
        classes: (C,), not zero where the image shows the foreground class of that place.
        foreground_clusters: K_fg (paper: 2).
        background_clusters: K_bg (paper: 2; 1 to 5 make little difference).
        level: ``patch`` clusters the features' own cells; ``pixel`` upsamples them to a cell every ``stride`` pixels.
        stride: of level ``pixel``; 1 is what the paper writes.
        spherical: bring cells to unit length before clustering.
        clustering: ``scikit-learn`` on the processor; ``batched``, all regions at once where the features lie.
        ignore_index: label code of pixels that take no part.
        biased_index: label code treated like ``ignore_index``.
    """
    given, features, label = features, features.float(), label.cpu()
    if level == "pixel":
        size = [-(-side // stride) for side in label.shape]
        features = F.interpolate(features[None], size, mode="bilinear", align_corners=False)[0]
    grid = (features.shape[1], features.shape[2])
    majority = majority_label(label, grid, ignore_index=ignore_index, biased_index=biased_index).flatten()
    cells = features.flatten(1).T
    present = [0, *(index + 1 for index in classes.nonzero().flatten().tolist())]
    vectors: dict[int, Tensor] = {}
    assignments: dict[int, Tensor] = {}
    found = cluster_regions(
        cells,
        majority == torch.tensor(present)[:, None],
        [foreground_clusters if index else background_clusters for index in present],
        image_seed(image_id),
        spherical=spherical,
        clustering=clustering,
    )
    for index, (centroids, assignment) in zip(present, found, strict=True):
        if len(centroids):
            vectors[index], assignments[index] = centroids, assignment.reshape(grid)
    rows = [(index, cluster) for index in vectors for cluster in range(len(vectors[index]))]
    candidates = Candidates(
        ids=(image_id,) * len(rows),
        classes=torch.tensor([index for index, _ in rows], dtype=torch.long),
        clusters=torch.tensor([cluster for _, cluster in rows], dtype=torch.long),
        pixels=torch.tensor([int(_region(label, assignments, *row).sum()) for row in rows], dtype=torch.long),
        vectors=torch.cat([torch.zeros(0, cells.shape[1]), *vectors.values()]),
    )
    return ImageCandidates(candidates, assignments, tuple(index for index in present if index not in vectors), given)


def _region(label: Tensor, assignments: dict[int, Tensor], index: int, cluster: int) -> Tensor:
    return (label == index) & (resize_nearest(assignments[index], label.shape) == cluster)
