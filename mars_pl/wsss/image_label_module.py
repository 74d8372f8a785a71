"""Lightning glue of what learns from image labels: validation by the mean average precision of the classes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor, nn
from torchmetrics.classification import MultilabelAveragePrecision

from mars_pl.training.optimisation import Kind
from mars_pl.training.trained_module import TrainedModule


class ImageLabelModule(TrainedModule):
    """A trained network that tells which classes an image shows.

    Args:
        network: that learns.
        num_classes: including background, which is no class to tell.
        lr: see ``TrainedModule``, as the others.
        optimizer: likewise.
        head_factor: likewise.
        momentum: likewise.
        weight_decay: likewise.
        weights: likewise.
    """

    def __init__(
        self,
        network: nn.Module,
        num_classes: int,
        *,
        lr: float,
        optimizer: Kind,
        head_factor: float,
        momentum: float,
        weight_decay: float,
        weights: str | None,
    ) -> None:
        super().__init__(
            network,
            lr=lr,
            optimizer=optimizer,
            head_factor=head_factor,
            momentum=momentum,
            weight_decay=weight_decay,
            weights=weights,
        )
        self.precision_metric = MultilabelAveragePrecision(num_labels=num_classes - 1, validate_args=False)

    @abstractmethod
    def class_logits(self, image: Tensor) -> Tensor:
        """Return logits (B, num_classes − 1) of uint8 images (B, 3, H, W), from the network that is validated."""

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Collect logits for the mean average precision."""
        self.precision_metric.update(self.class_logits(batch["image"]), batch["classes"].long())

    def on_validation_epoch_end(self) -> None:
        """Log the mean over classes of the average precision."""
        self.log("val/mean_average_precision", self.precision_metric.compute(), prog_bar=True)
        self.precision_metric.reset()
