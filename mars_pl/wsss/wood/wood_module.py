"""Lightning glue of W-OoD: goes on with a trained classifier, beside pictures that show none of the classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.wsss.cam.classification_module import ClassificationModule
from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.wood.losses import distance_loss, disturbed, none_of_the_classes


class OutOfDistributionModule(ClassificationModule):
    """Multi-label classification with a distance loss and disturbed pictures of other content.

    The callback ``FeatureCentres`` brings the class means and clusters before the first step; they stay.

    Args:
        network: makes the classifier from the number of classes.
        num_classes: including background (linked from the data).
        clusters: of the other pictures' features (W-OoD: 50).
        distance_weight: of the distance loss.
        nearest: share of the distances to clusters that count in it.
        ood_weight: of the loss of disturbed pictures.
        step: of their disturbance, in normalised values.
        options: see ``ClassificationModule``; ``weights`` are those of a trained classifier.

    Raises:
        ValueError: where there is no cluster, or the share is not between 0 and 1.
    """

    def __init__(
        self,
        network: Callable[[int], CAMClassifier],
        num_classes: int,
        clusters: int = 50,
        distance_weight: float = 0.007,
        nearest: float = 0.2,
        ood_weight: float = 0.25,
        step: float = 0.07,
        **options: Any,
    ) -> None:
        super().__init__(network, num_classes, **options)
        if clusters < 1:
            raise ValueError(f"clusters: at least one, not {clusters}")
        if not 0 < nearest < 1:
            raise ValueError(f"nearest: a share between 0 and 1, not {nearest}")
        self.distance_weight, self.nearest = distance_weight, nearest
        self.ood_weight, self.step = ood_weight, step
        channels = self.network.classifier.in_channels
        self.class_means: Tensor
        self.ood_centres: Tensor
        self.register_buffer("class_means", torch.zeros(num_classes - 1, channels))
        self.register_buffer("ood_centres", torch.zeros(clusters, channels))

    def features(self, normalised: Tensor) -> Tensor:
        """Return float32 (B, D), the means over space of the classified map, of normalised images."""
        return F.adaptive_avg_pool2d(self.network.features(normalised), 1).flatten(1).float()

    def logits(self, normalised: Tensor) -> Tensor:
        """Return the classifier's logits (B, C) of normalised images."""
        return self._classified(self.features(normalised))

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Soft-margin loss of the crops, their distances, and disturbed pictures that show no class."""
        features = self.features(self.network.normalise(batch["image"]))
        entropy = F.multilabel_soft_margin_loss(self._classified(features), batch["classes"])
        distance = distance_loss(features, batch["classes"], self.class_means, self.ood_centres, self.nearest)
        others = disturbed(self.logits, self.network.normalise(batch["ood_image"]), self.step)
        outside = none_of_the_classes(self.logits(others))
        loss = entropy + self.distance_weight * distance + self.ood_weight * outside
        self.log_training(batch, prog_bar=True, loss=loss)
        self.log_training(batch, entropy=entropy, distance=distance, outside=outside)
        return loss

    def _classified(self, features: Tensor) -> Tensor:
        return self.network.classifier(features[:, :, None, None]).flatten(1).float()
