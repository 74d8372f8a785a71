"""The predict job that finds the centroids of every image (paper §3.2)."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from torch import nn

from mars_pl.debias.batch import check_batch, image_features
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
from mars_pl.debias.image_candidates import ImageCandidates, find_candidates


class CentroidModule(pl.LightningModule):
    """Group dense features under the regions of the pseudo label by K-means, image by image.

    Regions are those of background and of the classes that the image's own label names; no truth is read.

    Args:
        feature_extractor: uint8 (B, 3, H, W) to dense features (B, D, h, w) that cover the whole image, or None where
            batches bring ``features`` that were stored.
        num_classes: background included.
        ignore_index: label code of pixels that take no part.
        biased_index: label code treated like ``ignore_index``.
        foreground_clusters: K_fg (paper: 2).
        background_clusters: K_bg (paper: 2; 1 to 5 make little difference).
        level: ``patch`` clusters the features' own cells; ``pixel`` upsamples them to a cell every ``stride`` pixels.
        stride: of level ``pixel``; 1 is what the paper writes.
        spherical: bring cells to unit length before clustering.
        clustering: ``scikit-learn`` on the processor; ``batched``, all regions at once where the features lie.
    """

    def __init__(
        self,
        feature_extractor: nn.Module | None,
        num_classes: int,
        ignore_index: int = IGNORE_INDEX,
        biased_index: int = BIASED_INDEX,
        foreground_clusters: int = FOREGROUND_CLUSTERS,
        background_clusters: int = BACKGROUND_CLUSTERS,
        level: Level = LEVEL,
        stride: int = STRIDE,
        spherical: bool = SPHERICAL,
        clustering: Clustering = CLUSTERING,
    ) -> None:
        super().__init__()
        self.feature_extractor = feature_extractor
        self.num_classes, self.ignore_index, self.biased_index = num_classes, ignore_index, biased_index
        self.foreground_clusters, self.background_clusters = foreground_clusters, background_clusters
        self.level: Level = level
        self.stride, self.spherical = stride, spherical
        self.clustering: Clustering = clustering

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> ImageCandidates:
        """Cluster the regions of the one image in ``batch``.

        Raises:
            ValueError: where the batch holds several images, no label, no image labels, or nothing to have features of.
        """
        check_batch(batch)
        return find_candidates(
            batch["id"][0],
            image_features(batch, self.feature_extractor),
            batch["label"][0],
            batch["classes"][0],
            foreground_clusters=self.foreground_clusters,
            background_clusters=self.background_clusters,
            level=self.level,
            stride=self.stride,
            spherical=self.spherical,
            clustering=self.clustering,
            ignore_index=self.ignore_index,
            biased_index=self.biased_index,
        )
