"""Lightning glue of SEAM: trains on two sizes of each image, predicts corrected class maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch.nn.functional as F
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torchmetrics.classification import MultilabelAveragePrecision

from mars_pl.training.optimisation import Kind, groups_by_role, optimisation
from mars_pl.training.weights import load_weights
from mars_pl.wsss.cam.activation import multi_scale_activation
from mars_pl.wsss.seam.losses import seam_losses
from mars_pl.wsss.seam.maps import min_max_normalise
from mars_pl.wsss.seam.network import SEAM


class SEAMModule(pl.LightningModule):
    """Siamese training on image labels; predicts scores of the image's classes.

    Args:
        network: the network that both views share.
        num_classes: including background (linked from the data).
        lr: of the backbone's weights.
        optimizer: SEAM's SGD, or AdamW.
        head_factor: what is new learns this many times faster.
        momentum: SEAM's published code has effectively none (5e-4, by the order of its arguments).
        weight_decay: on all parameters but biases.
        view_scale: size of the second view; SEAM has 0.3 at crops of 448 pixels.
        scales: of the maps that predict sums up, each with its mirror image.
        weights: of a finished fit, for predict.

    Raises:
        ValueError: where ``view_scale`` does not lie between 0 and 1.
    """

    def __init__(
        self,
        network: SEAM,
        num_classes: int,
        lr: float = 0.01,
        optimizer: Kind = "sgd",
        head_factor: float = 10.0,
        momentum: float = 5e-4,
        weight_decay: float = 5e-4,
        view_scale: float = 0.3,
        scales: Sequence[float] = (0.5, 1.0, 1.5, 2.0),
        weights: str | None = None,
    ) -> None:
        super().__init__()
        if not 0 < view_scale < 1:
            raise ValueError(f"view_scale: the second view is smaller than the first, not {view_scale} of it")
        self.network = network
        self.optimizer: Kind = optimizer
        self.lr, self.head_factor, self.momentum, self.weight_decay = lr, head_factor, momentum, weight_decay
        self.view_scale, self.scales = view_scale, tuple(scales)
        self.precision_metric = MultilabelAveragePrecision(num_labels=num_classes - 1, validate_args=False)
        if weights is not None:
            load_weights(network, weights)

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Sum of the three losses over a batch of crops and of the same crops made smaller."""
        image = batch["image"].float()
        smaller = F.interpolate(image, scale_factor=self.view_scale, mode="bilinear", align_corners=True)
        losses = seam_losses(self.network(image), self.network(smaller), batch["classes"])
        loss, count = losses.total(), len(batch["id"])
        self.log("train/loss", loss, prog_bar=True, batch_size=count)
        self.log_dict({f"train/{name}": value for name, value in losses._asdict().items()}, batch_size=count)
        return loss

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Collect logits for the mean average precision."""
        logits = self.network(batch["image"]).activation.mean((-2, -1))[:, 1:]
        self.precision_metric.update(logits, batch["classes"].long())

    def on_validation_epoch_end(self) -> None:
        """Log the mean over classes of the average precision."""
        self.log("val/mean_average_precision", self.precision_metric.compute(), prog_bar=True)
        self.precision_metric.reset()

    def predict_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Predict one whole image: ``class_ids`` int64 (K,) of its labels, ``scores`` float32 (K, H, W) in [0, 1]."""
        present = batch["classes"][0].nonzero().flatten()
        maps = multi_scale_activation(self.network, batch["image"], self.scales, stride=1)[present]
        return {"id": batch["id"][0], "class_ids": present + 1, "scores": min_max_normalise(maps)}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Let what is new learn faster, and biases twice as fast as weights; poly schedule per step."""
        heads = [self.network.pixel_correlation, self.network.classifier]
        groups = groups_by_role([self.network.backbone], heads, self.lr, self.head_factor)
        steps = int(self.trainer.estimated_stepping_batches)
        return optimisation(self.optimizer, groups, self.lr, self.momentum, self.weight_decay, steps)

    def export(self) -> SEAM:
        """Return the network whose weights the next stage reads."""
        return self.network
