"""The class means and clusters of features that W-OoD's distances are taken to, found before the first step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.callbacks import Callback
from sklearn.cluster import KMeans
from torch import Tensor

from callbacks.writing.gather import gather_objects
from datamodules.datasets.beside.out_of_distribution import OutOfDistributionCrops
from datamodules.errors import DataError
from mars_pl.training.over_processes import own_share, sum_over_processes
from mars_pl.wsss.cam.activation import resize_image

ITERATIONS = 10
"""Of K-means (W-OoD)."""


class FeatureCentres(Callback):
    """Gives an ``OutOfDistributionModule`` its class means and clusters, once; a checkpoint keeps them.

    The network looks at whole images as it is before the first step. Each process sees its share, sums and features are
    brought together in the images' order. K-means starts from the first features, as W-OoD's does.

    Args:
        long_side: larger pictures without a class are made so small, in pixels (W-OoD: 500); None leaves them.
    """

    def __init__(self, long_side: int | None = 500) -> None:
        self.long_side = long_side

    @torch.no_grad()
    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Find them; raises DataError for other data, or where the pictures are fewer than the clusters."""
        if bool(pl_module.ood_centres.any()):  # a resumed fit
            return
        data = getattr(getattr(trainer, "datamodule", None), "training_set", None)
        if not isinstance(data, OutOfDistributionCrops) or data.crops is None:
            raise DataError("FeatureCentres: wants OutOfDistributionCrops; take configs/wsss/wood/cam.yaml")
        crops, clusters = data.crops, len(pl_module.ood_centres)
        if len(crops.others) < clusters:
            raise DataError(
                f"{data.folder}: {len(crops.others)} pictures for {clusters} clusters; add some, or set model.clusters"
            )
        pl_module.eval()
        sums, counts = torch.zeros_like(pl_module.class_means), torch.zeros(len(pl_module.class_means))
        sums, counts = sums.double().cpu(), counts.double()
        for index in own_share(len(crops.images)):
            sample = crops.images.read(index)
            classes = sample["classes"].double()
            sums += classes[:, None] * _features(pl_module, sample["image"]).double()
            counts += classes
        others = [
            _features(pl_module, self._smaller(crops.others[index]["image"])) for index in own_share(len(crops.others))
        ]
        pl_module.train()
        device = pl_module.device
        both = sum_over_processes(torch.cat([sums, counts[:, None]], dim=1).float().to(device))
        pl_module.class_means.copy_(both[:, :-1] / both[:, -1:].clamp(min=1))
        centres = found_clusters(_in_order(others), clusters)
        pl_module.ood_centres.copy_(torch.from_numpy(centres).to(device))

    def _smaller(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        if self.long_side is None or max(height, width) <= self.long_side:
            return image
        scale = self.long_side / max(height, width)
        return resize_image(image[None], (max(1, round(height * scale)), max(1, round(width * scale))))[0]


def found_clusters(features: NDArray[np.float32], clusters: int) -> NDArray[np.float32]:
    """Return the centres (K, D) of Lloyd's K-means of features (N, D), which starts from the first K of them."""
    means = KMeans(clusters, init=features[:clusters], n_init=1, max_iter=ITERATIONS, tol=0.0, algorithm="lloyd")
    found: NDArray[np.float32] = means.fit(features).cluster_centers_
    return found


def _features(pl_module: Any, image: Tensor) -> Tensor:
    found: Tensor = pl_module.features(pl_module.network.normalise(image[None].to(pl_module.device)))[0].cpu()
    return found


def _in_order(own: list[Tensor]) -> NDArray[np.float32]:
    """Bring all processes' features together: row k of process r is the (k · processes + r)-th."""
    parts = gather_objects([one.numpy() for one in own])
    whole = np.empty((sum(map(len, parts)), len(own[0])), np.float32)
    for rank, part in enumerate(parts):
        whole[rank :: len(parts)] = part
    return whole
