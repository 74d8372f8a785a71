"""Lightning glue of SEAM: trains on two sizes of each image, predicts corrected class maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mars_pl.networks.network_maker import make_network
from mars_pl.training.optimisation import Kind, groups_by_role
from mars_pl.wsss.cam.activation import multi_scale_activation
from mars_pl.wsss.image_label_module import ImageLabelModule
from mars_pl.wsss.seam.losses import seam_losses
from mars_pl.wsss.seam.maps import min_max_normalise
from mars_pl.wsss.seam.network import SEAM


class SEAMModule(ImageLabelModule):
    """Siamese training on image labels; predicts scores of the image's classes.

    Args:
        network: makes the network that both views share from the number of classes.
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

    network: SEAM

    def __init__(
        self,
        network: Callable[[int], SEAM],
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
        if not 0 < view_scale < 1:
            raise ValueError(f"view_scale: the second view is smaller than the first, not {view_scale} of it")
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
        self.view_scale, self.scales = view_scale, tuple(scales)

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Sum of the three losses over a batch of crops and of the same crops made smaller."""
        image = batch["image"].float()
        smaller = F.interpolate(image, scale_factor=self.view_scale, mode="bilinear", align_corners=True)
        losses = seam_losses(self.network(image), self.network(smaller), batch["classes"])
        loss = losses.total()
        self.log_training(batch, prog_bar=True, loss=loss)
        self.log_training(batch, **losses._asdict())
        return loss

    def class_logits(self, image: Tensor) -> Tensor:
        """Return the spatial means of the raw maps."""
        return self.network(image).activation.mean((-2, -1))[:, 1:]

    def predict_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Predict one whole image: ``class_ids`` int64 (K,) of its labels, ``scores`` float32 (K, H, W) in [0, 1]."""
        present = batch["classes"][0].nonzero().flatten()
        maps = multi_scale_activation(self.network, batch["image"], present, self.scales, stride=1)
        return {"id": batch["id"][0], "class_ids": present + 1, "scores": min_max_normalise(maps)}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let what is new learn faster, and biases twice as fast as weights."""
        heads = [self.network.pixel_correlation, self.network.classifier]
        return groups_by_role([self.network.backbone], heads, self.lr, self.head_factor)
