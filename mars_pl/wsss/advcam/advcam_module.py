"""Lightning glue of AdvCAM: predicts the scores of climbing images with the classifier of a finished fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytorch_lightning as pl
import torch

from mars_pl.networks.network_maker import make_network
from mars_pl.training.weights import load_weights
from mars_pl.wsss.advcam.climbing import Climb
from mars_pl.wsss.advcam.multi_scale import multi_scale_climbing_cam
from mars_pl.wsss.cam.activation import normalise_activation
from mars_pl.wsss.cam.classifier import CAMClassifier


class AdvCAMModule(pl.LightningModule):
    """Adversarial climbing on the classifier of the class activation maps; predict only, nothing is learnt.

    The trainer needs ``inference_mode: false``. Whatever its precision, images climb in float32: half of it would
    lose the small gradients of the pixels.

    Args:
        network: makes the classifier from the number of classes.
        num_classes: including background (linked from the data).
        scales: of the image's sides.
        iterations: of each climb; at scale 0.5 fewer, by AdvCAM's rule.
        step: of normalised values, for the pixel with the steepest gradient.
        regulariser: weight of the change of places that are salient already.
        mask_threshold: share of the map's maximum above which a place is salient.
        weights: of the classifier's fit.
    """

    def __init__(
        self,
        network: Callable[[int], CAMClassifier],
        num_classes: int,
        scales: Sequence[float] = (0.5, 1.0, 1.5, 2.0),
        iterations: int = 27,
        step: float = 0.08,
        regulariser: float = 7.0,
        mask_threshold: float = 0.5,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        self.network = make_network(network, num_classes).requires_grad_(False)
        self.scales = tuple(scales)
        self.climb = Climb(iterations, step, regulariser, mask_threshold)
        if weights is not None:
            load_weights(self.network, weights)

    def predict_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Predict one whole image: ``class_ids`` int64 (K,) of its labels, ``scores`` float32 (K, H, W) in [0, 1].

        Raises:
            ValueError: where the trainer predicts in inference mode, in which there are no gradients.
        """
        if torch.is_inference_mode_enabled():
            raise ValueError("trainer.inference_mode: AdvCAM climbs along gradients, set it to false")
        present = batch["classes"][0].nonzero().flatten()
        with torch.enable_grad(), torch.autocast(self.device.type, enabled=False):
            maps = multi_scale_climbing_cam(self.network, batch["image"], present.tolist(), self.scales, self.climb)
        return {"id": batch["id"][0], "class_ids": present + 1, "scores": normalise_activation(maps)}
