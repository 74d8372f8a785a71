"""Lightning glue of DHR: labels made in each step of the segmenter's own features and of unsupervised ones."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.aspp import resize
from mars_pl.segment.dhr.boxes import boxes_of
from mars_pl.segment.dhr.rebalancing import Rebalancing
from mars_pl.segment.segmentation_module import SegmentationModule


class DHRModule(SegmentationModule):
    """Trains a network on DHR's online labels, and beside it a classifier on its last map (DHR, train.py).

    The classifier's maps give the seeds. It is no part of ``network``: what a fit leaves is a segmenter like any other.
    Nothing is kept from step to step but weights, so that a resumed fit is the same, and processes share nothing but
    gradients.

    Args:
        feature_extractor: frozen, uint8 (B, 3, H, W) to unsupervised features (B, D, h, w). It sees the crop itself.
        rebalancing: makes the online labels.
        classification_weight: of the classifier's loss beside Eq. 7 with weight 1 everywhere (DHR: 1).
        options: of ``SegmentationModule``; its network has to have ``with_features``. A complement has nothing to fill:
            what the given label calls biased is unknown here.

    Raises:
        ValueError: where the network gives no features of its encoder, or the options name a mixing.
    """

    def __init__(
        self,
        feature_extractor: nn.Module,
        rebalancing: Rebalancing,
        classification_weight: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not hasattr(self.network, "with_features"):
            raise ValueError(
                f"train=dhr: the network {type(self.network).__name__} gives no features of its encoder beside its "
                "logits (with_features); take a DeepLabv3+"
            )
        if self.mixing is not None:
            raise ValueError("mixing: train=dhr makes its labels of each image's own regions; leave it out")
        self.feature_extractor = feature_extractor
        self.rebalancing = rebalancing
        self.classification_weight = classification_weight
        channels = self.network.encoder.channels  # type: ignore[union-attr]
        self.classifier = nn.Conv2d(channels, self.num_classes - 1, 1, bias=False)  # type: ignore[arg-type]
        self.classifier.to(memory_format=torch.channels_last)  # as the network's maps are; DDP warns of two layouts

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Cross entropy with the online labels plus the classifier's loss, of a batch of crops."""
        image, given, classes, valid = batch["image"], batch["label"], batch["classes"], batch.get("valid")
        logits, layers = self.network.with_features(image)  # type: ignore[operator]
        last = layers[-1]
        half = [max(1, side // 2) for side in last.shape[-2:]]
        scores = self.classifier(resize(last, half))
        given = torch.where(given == self.biased_index, self.ignore_index, given)
        features = self.feature_extractor(image)
        sown, online = self.rebalancing(image, given, classes, scores, features, layers, valid)
        segmentation = self.loss(logits, online)
        classification = F.multilabel_soft_margin_loss(self._image_scores(scores, image, valid), classes)
        loss: Tensor = segmentation + self.classification_weight * classification
        self.log_training(batch, prog_bar=True, loss=loss)
        known = given != self.ignore_index
        seeded, changed = (((label != given) & known).sum() / known.sum().clamp(min=1) for label in (sown, online))
        self.log_training(
            batch, segmentation=segmentation, classification=classification, seeded_share=seeded, changed_share=changed
        )
        return loss

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the network's groups and the classifier's, which is new and learns as fast as the head."""
        classifier = {"params": list(self.classifier.parameters()), "lr": self.lr * self.head_factor}
        return [*super().parameter_groups(), classifier]

    @staticmethod
    def _image_scores(scores: Tensor, image: Tensor, valid: Tensor | None) -> Tensor:
        """Average (B, K, h, w) class scores over the cells of each image's valid box: float32 (B, K)."""
        boxes = [box.in_cells(scores.shape[-2:], image.shape[-2:]) for box in boxes_of(image, valid)]
        return torch.stack([box.of(each).float().mean(dim=(1, 2)) for box, each in zip(boxes, scores, strict=True)])
