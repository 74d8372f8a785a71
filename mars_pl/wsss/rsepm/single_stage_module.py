"""Lightning glue of RS+EPM (our reconstruction): classifier and decoder learn together, the teacher sets the seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.networks.network_maker import make_network
from mars_pl.training.optimisation import Kind
from mars_pl.wsss.image_label_module import ImageLabelModule
from mars_pl.wsss.propagation.confident_label import UNSURE
from mars_pl.wsss.rsepm.edge_predict_mix import EdgePredictMix
from mars_pl.wsss.rsepm.inference import multi_scale_scores
from mars_pl.wsss.rsepm.network import SingleStageNetwork
from mars_pl.wsss.rsepm.phases import Phase, phase_of
from mars_pl.wsss.rsepm.seed_source import SeedSource, activation_scores, decoder_scores
from mars_pl.wsss.rsepm.seeds import present_probabilities, seed_cross_entropy


class SingleStageModule(ImageLabelModule):
    """Trains on image labels alone; the callback ``EMATeacher`` moves ``teacher`` after ``network``.

    Three phases (the numbers are the authors', what happens in each is our reading of their experiment tag): seeds from
    the teacher's class activation maps, then from its decoder (RecurSeed), then mixed images besides (EdgePredictMix).
    The loss is the sum, all weights 1, of the classifier's soft-margin loss and the decoder's cross entropy on seeds.

    Args:
        network: makes the student from the number of classes; the teacher starts as its copy.
        num_classes: including background (linked from the data).
        seeds: how the teacher's scores become labels.
        mix: how images are mixed; ``None`` mixes none.
        recursive_from: first epoch of the second phase, counted from 0; below 1 a share of the fit.
        mixed_from: likewise of the third.
        lr: of the encoder; poly schedule per optimiser step.
        head_factor: what is new learns this many times faster.
        optimizer: ``sgd``, or ``adamw`` for small networks from random weights.
        momentum: of SGD.
        weight_decay: on all parameters.
        scales: of prediction.
        flip: add mirror images in prediction.
        weights: of a finished fit, for predict.

    Raises:
        ValueError: where the network's classes are not those of the data, or too many for 8-bit seeds.
    """

    network: SingleStageNetwork

    def __init__(
        self,
        network: Callable[[int], SingleStageNetwork],
        num_classes: int,
        seeds: SeedSource,
        mix: EdgePredictMix | None = None,
        recursive_from: float = 5,
        mixed_from: float = 15,
        lr: float = 0.01,
        head_factor: float = 10.0,
        optimizer: Kind = "sgd",
        momentum: float = 0.9,
        weight_decay: float = 4e-5,
        scales: Sequence[float] = (1.0, 0.5, 1.5, 2.0),
        flip: bool = True,
        weights: str | None = None,
    ) -> None:
        if num_classes > UNSURE:
            raise ValueError(f"RS+EPM's seeds know {UNSURE} classes, the data has {num_classes}; choose another WSSS")
        made = make_network(network, num_classes)
        found = made.classifier.out_channels + 1
        if found != num_classes:
            raise ValueError(f"the network has {found} classes, background counted, the data {num_classes}")
        super().__init__(
            made,
            num_classes,
            lr=lr,
            optimizer=optimizer,
            head_factor=head_factor,
            momentum=momentum,
            weight_decay=weight_decay,
            weights=weights,
        )
        self.teacher = deepcopy(self.network).requires_grad_(False).eval()
        self.seeds, self.mix = seeds, mix
        self.recursive_from, self.mixed_from = recursive_from, mixed_from
        self.scales, self.flip = tuple(scales), flip

    def train(self, mode: bool = True) -> SingleStageModule:
        """Switch to training; the teacher stays in evaluation."""
        super().train(mode)
        self.teacher.eval()
        return self

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Classification and segmentation loss of a batch of crops, with its mixtures in the last phase."""
        image, label, classes = self._targets(batch)
        output = self.network(image)
        classification = F.multilabel_soft_margin_loss(output.class_logits.float(), classes)
        segmentation = seed_cross_entropy(output.segmentation_logits, label)
        loss = classification + segmentation
        self.log_training(batch, classification=classification, segmentation=segmentation)
        self.log_training(batch, prog_bar=True, loss=loss)
        return loss

    @torch.no_grad()
    def _targets(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        """Images, seeds and classes to learn from; in the last phase twice as many."""
        image, classes, valid = batch["image"], batch["classes"], batch["valid"]
        phase = phase_of(self.current_epoch, self.trainer.max_epochs, self.recursive_from, self.mixed_from)
        output = self.teacher(image)
        if phase == Phase.CAM:
            scores = activation_scores(output.class_maps, classes)
        else:
            scores = decoder_scores(output.segmentation_logits, classes)
        label = self.seeds(image, output, scores, valid)
        self.log_training(batch, unsure_share=(label == UNSURE).float().mean())
        if phase != Phase.MIXED or self.mix is None:
            return image, label, classes
        probabilities = present_probabilities(output.segmentation_logits, classes)
        mixed = self.mix(image, label, classes, probabilities, valid)
        return torch.cat([image, mixed.image]), torch.cat([label, mixed.label]), torch.cat([classes, mixed.classes])

    def class_logits(self, image: Tensor) -> Tensor:
        """Return the teacher's logits."""
        return self.teacher(image).class_logits.float()

    def predict_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Predict one whole image: ``class_ids`` int64 (K,) of its labels, ``scores`` float32 (K, H, W) in [0, 1]."""
        present = batch["classes"][0].nonzero().flatten()
        scores = multi_scale_scores(self.teacher, batch["image"], present, self.scales, self.flip)
        return {"id": batch["id"][0], "class_ids": present + 1, "scores": scores}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Optimise the student."""
        return self.network.parameter_groups(self.lr, self.head_factor)

    def export(self) -> SingleStageNetwork:
        """Return the teacher, which is also what the authors save."""
        return self.teacher
