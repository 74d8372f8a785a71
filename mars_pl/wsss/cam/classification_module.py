"""Lightning glue of the classifier: trains on image labels, predicts class activation maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mars_pl.networks.network_maker import make_network
from mars_pl.training.optimisation import Kind
from mars_pl.wsss.cam.activation import multi_scale_activation, normalise_activation
from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.image_label_module import ImageLabelModule


class ClassificationModule(ImageLabelModule):
    """Multi-label classification by the soft-margin loss; predicts scores of the image's classes.

    Args:
        network: makes the classifier from the number of classes.
        num_classes: including background (linked from the data).
        lr: of the backbone.
        optimizer: IRNet's SGD, or AdamW.
        head_factor: the classifier learns this many times faster.
        momentum: IRNet's published code has effectively none (1e-4, by the order of its arguments).
        weight_decay: on all parameters.
        scales: of the class activation maps.
        weights: of a finished fit, for predict.
    """

    network: CAMClassifier

    def __init__(
        self,
        network: Callable[[int], CAMClassifier],
        num_classes: int,
        lr: float = 0.1,
        optimizer: Kind = "sgd",
        head_factor: float = 10.0,
        momentum: float = 1e-4,
        weight_decay: float = 1e-4,
        scales: Sequence[float] = (1.0, 0.5, 1.5, 2.0),
        weights: str | None = None,
    ) -> None:
        super().__init__(
            make_network(network, num_classes),
            num_classes,
            lr=lr,
            optimizer=optimizer,
            head_factor=head_factor,
            momentum=momentum,
            weight_decay=weight_decay,
            weights=weights,
        )
        self.scales = tuple(scales)

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Multi-label soft-margin loss of a batch of crops."""
        loss = F.multilabel_soft_margin_loss(self.network(batch["image"]).float(), batch["classes"])
        self.log_training(batch, prog_bar=True, loss=loss)
        return loss

    def class_logits(self, image: Tensor) -> Tensor:
        """Return the classifier's logits."""
        return self.network(image).float()

    def predict_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Predict one whole image: ``class_ids`` int64 (K,) of its labels, ``scores`` float32 (K, H, W) in [0, 1]."""
        present = batch["classes"][0].nonzero().flatten()
        maps = multi_scale_activation(self.network, batch["image"], present, self.scales)
        return {"id": batch["id"][0], "class_ids": present + 1, "scores": normalise_activation(maps)}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let the classifier learn faster."""
        backbone = [p for p in self.network.backbone.parameters() if p.requires_grad]
        head = list(self.network.classifier.parameters())
        return [{"params": backbone}, {"params": head, "lr": self.lr * self.head_factor}]
