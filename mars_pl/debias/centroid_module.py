"""The predict job that finds the centroids of every image (paper §3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mars_pl.debias.batch import check_batch
from mars_pl.debias.centroids import Candidates
from mars_pl.debias.clustering import cluster_region, image_seed
from mars_pl.debias.patch_labels import majority_label, spread

Level = Literal["patch", "pixel"]


@dataclass  # not frozen: Lightning moves what predict returns
class ImageCandidates:
    """What one image contributes.

    Attributes:
        candidates: one row a centroid: background (class 0) first, then the image's classes.
        assignments: class index to (h, w) int64, the nearest centroid of that class in every cell.
        empty: classes of the image, 0 for background, whose region covers no cell: no centroid.
    """

    candidates: Candidates
    assignments: dict[int, Tensor]
    empty: tuple[int, ...]

    def region(self, row: int, label: Tensor) -> Tensor:
        """Return (H, W) bool: the pixels of the candidate's class in ``label`` nearest to this candidate."""
        return _region(label, self.assignments, int(self.candidates.classes[row]), int(self.candidates.clusters[row]))


class CentroidModule(pl.LightningModule):
    """Group dense features under the regions of the pseudo label by K-means, image by image.

    Regions are those of background and of the classes that the image's own label names; no truth is read.

    Args:
        feature_extractor: uint8 (B, 3, H, W) to dense features (B, D, h, w) that cover the whole image.
        num_classes: background included.
        ignore_index: label code of pixels that take no part.
        biased_index: label code treated like ``ignore_index``.
        foreground_clusters: K_fg (paper: 2).
        background_clusters: K_bg (paper: 2; 1 to 5 make little difference).
        level: ``patch`` clusters the features' own cells; ``pixel`` upsamples them to a cell every ``stride`` pixels.
        stride: of level ``pixel``; 1 is what the paper writes.
        spherical: bring cells to unit length before clustering.
    """

    def __init__(
        self,
        feature_extractor: nn.Module,
        num_classes: int,
        ignore_index: int = 255,
        biased_index: int = 254,
        foreground_clusters: int = 2,
        background_clusters: int = 2,
        level: Level = "patch",
        stride: int = 4,
        spherical: bool = True,
    ) -> None:
        super().__init__()
        self.feature_extractor = feature_extractor
        self.num_classes, self.ignore_index, self.biased_index = num_classes, ignore_index, biased_index
        self.foreground_clusters, self.background_clusters = foreground_clusters, background_clusters
        self.level, self.stride, self.spherical = level, stride, spherical

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> ImageCandidates:
        """Cluster the regions of the one image in ``batch``.

        Raises:
            ValueError: where the batch holds several images, no label or no image labels.
        """
        check_batch(batch)
        features, label = self.feature_extractor(batch["image"])[0].float(), batch["label"][0].cpu()
        if self.level == "pixel":
            size = [-(-side // self.stride) for side in label.shape]
            features = F.interpolate(features[None], size, mode="bilinear", align_corners=False)[0]
        present = [0, *(index + 1 for index in batch["classes"][0].nonzero().flatten().tolist())]
        return self.find_candidates(batch["id"][0], features, label, present)

    def find_candidates(self, image_id: str, features: Tensor, label: Tensor, classes: list[int]) -> ImageCandidates:
        """Cluster the regions of ``classes`` in one image: features (D, h, w), label (H, W)."""
        grid = (features.shape[1], features.shape[2])
        majority = majority_label(label, grid, ignore_index=self.ignore_index, biased_index=self.biased_index).flatten()
        cells = features.flatten(1).T.cpu()
        vectors: dict[int, Tensor] = {}
        assignments: dict[int, Tensor] = {}
        for index in classes:
            k = self.foreground_clusters if index else self.background_clusters
            centroids, assignment = cluster_region(
                cells, majority == index, k, image_seed(image_id), spherical=self.spherical
            )
            if len(centroids):
                vectors[index], assignments[index] = centroids, assignment.reshape(grid)
        rows = [(index, cluster) for index in vectors for cluster in range(len(vectors[index]))]
        candidates = Candidates(
            ids=(image_id,) * len(rows),
            classes=torch.tensor([index for index, _ in rows], dtype=torch.long),
            clusters=torch.tensor([cluster for _, cluster in rows], dtype=torch.long),
            pixels=torch.tensor([int(_region(label, assignments, *row).sum()) for row in rows], dtype=torch.long),
            vectors=torch.cat([cells.new_zeros(0, cells.shape[1]), *vectors.values()]),
        )
        return ImageCandidates(candidates, assignments, tuple(index for index in classes if index not in vectors))


def _region(label: Tensor, assignments: dict[int, Tensor], index: int, cluster: int) -> Tensor:
    return (label == index) & (spread(assignments[index], (label.shape[0], label.shape[1])) == cluster)
