"""Lightning glue of the classifier: trains on image labels, predicts class activation maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch.nn.functional as F
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torchmetrics.classification import MultilabelAveragePrecision

from mars_pl.training.optimisation import Kind, optimisation
from mars_pl.training.weights import load_weights
from mars_pl.wsss.cam.activation import multi_scale_activation, normalise_activation
from mars_pl.wsss.cam.classifier import CAMClassifier


class ClassificationModule(pl.LightningModule):
    """Multi-label classification by the soft-margin loss; predicts scores of the image's classes.

    Args:
        network: the classifier.
        num_classes: including background (linked from the data).
        lr: of the backbone.
        optimizer: IRNet's SGD, or AdamW.
        head_factor: the classifier learns this many times faster.
        momentum: IRNet's published code has effectively none (1e-4, by the order of its arguments).
        weight_decay: on all parameters.
        scales: of the class activation maps.
        weights: of a finished fit, for predict.
    """

    def __init__(
        self,
        network: CAMClassifier,
        num_classes: int,
        lr: float = 0.1,
        optimizer: Kind = "sgd",
        head_factor: float = 10.0,
        momentum: float = 1e-4,
        weight_decay: float = 1e-4,
        scales: Sequence[float] = (1.0, 0.5, 1.5, 2.0),
        weights: str | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.optimizer: Kind = optimizer
        self.lr, self.head_factor, self.momentum, self.weight_decay = lr, head_factor, momentum, weight_decay
        self.scales = tuple(scales)
        self.precision_metric = MultilabelAveragePrecision(num_labels=num_classes - 1, validate_args=False)
        if weights is not None:
            load_weights(network, weights)

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Multi-label soft-margin loss of a batch of crops."""
        loss = F.multilabel_soft_margin_loss(self.network(batch["image"]).float(), batch["classes"])
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch["id"]))
        return loss

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Collect logits for the mean average precision."""
        self.precision_metric.update(self.network(batch["image"]).float(), batch["classes"].long())

    def on_validation_epoch_end(self) -> None:
        """Log the mean over classes of the average precision."""
        self.log("val/mean_average_precision", self.precision_metric.compute(), prog_bar=True)
        self.precision_metric.reset()

    def predict_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Predict one whole image: ``class_ids`` int64 (K,) of its labels, ``scores`` float32 (K, H, W) in [0, 1]."""
        present = batch["classes"][0].nonzero().flatten()
        maps = multi_scale_activation(self.network, batch["image"], self.scales)[present]
        return {"id": batch["id"][0], "class_ids": present + 1, "scores": normalise_activation(maps)}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Let the classifier learn faster; poly schedule per step."""
        backbone = [p for p in self.network.backbone.parameters() if p.requires_grad]
        head = list(self.network.classifier.parameters())
        groups: list[dict[str, Any]] = [{"params": backbone}, {"params": head, "lr": self.lr * self.head_factor}]
        steps = int(self.trainer.estimated_stepping_batches)
        return optimisation(self.optimizer, groups, self.lr, self.momentum, self.weight_decay, steps)

    def export(self) -> CAMClassifier:
        """Return the network whose weights the next stage reads."""
        return self.network
