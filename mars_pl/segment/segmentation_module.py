"""Lightning glue of the last stage: a student, its EMA teacher, and labels that the teacher completes (§3.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, Literal

import torch
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor, nn

from mars_pl.metrics.segmentation_scores import SegmentationScores
from mars_pl.networks.aspp import resize
from mars_pl.networks.network_maker import make_network
from mars_pl.segment.complement import Complement
from mars_pl.segment.inference import (
    FLIP,
    LEAST_PROBABILITY,
    SCALES,
    Average,
    Resampling,
    SegmentationPrediction,
    drop_improbable,
    multi_scale_probabilities,
)
from mars_pl.segment.mixing import Mixing
from mars_pl.segment.output_check import check_output
from mars_pl.segment.sliding_window import SlidingWindow, slide
from mars_pl.segment.weighted_cross_entropy import WeightedCrossEntropy
from mars_pl.training.optimisation import Kind
from mars_pl.training.trained_module import TrainedModule


class SegmentationModule(TrainedModule):
    """Trains a network on (debiased) labels; the callback ``EMATeacher`` moves ``teacher`` after ``network``.

    Args:
        network: makes the student from the number of classes. It maps uint8 images (B, 3, H, W) to logits
            (B, num_classes, h, w) of any size; while training it may return a list of such, whose losses are summed
            (DeepLabv2). A method ``parameter_groups(lr, head_factor)`` says which of its layers learn faster.
        num_classes: including background (linked from the data).
        ignore_index: label code of pixels that neither train nor score (linked).
        biased_index: label code of biased pixels (linked).
        scored_class_ids: classes over which validation takes its means (linked); ``None`` is all.
        complement: how biased pixels are filled and weighed; ``None`` ignores them.
        mixing: pastes objects onto other images of the batch (ours); ``None``, as in the paper, pastes nothing.
        loss_size: where Eq. 7 is taken, see ``WeightedCrossEntropy``.
        norm: of Eq. 7, likewise.
        lr: of the encoder (DHR: 1e-3); poly schedule per optimiser step.
        lr_every: optimiser steps from one change of the learning rate to the next (DeepLabv2: 10).
        head_factor: new layers learn this many times faster.
        optimizer: ``sgd``, or ``adamw`` for small networks from random weights.
        momentum: of SGD.
        weight_decay: on all parameters whose group has none of its own.
        scales: of prediction; validation looks at the image as it is.
        flip: add mirror images in prediction.
        average: what prediction takes the mean of, over scales and mirror images (DeepLabv1: logits).
        resampling: how prediction resizes images and maps, ``centres`` or as DHR ``corners``: see ``Resampling``.
        least_probability: a class that is nowhere in the image this probable takes no part in refinement (RS+EPM and
            DHR: .05, which spares the dense CRF most of its time; 0 keeps all, as DeepLabv1 and v2 do).
        compile: let torch.compile make both networks faster while fitting; their weights keep their names.
        window: predict large images by overlapping windows, each of them at all scales; ``None`` takes images whole.
        predict_with: the network that predicts where a checkpoint holds both.
        weights: safetensors file of a finished fit, loaded into both networks.
    """

    def __init__(
        self,
        network: Callable[[int], nn.Module],
        num_classes: int,
        ignore_index: int = 255,
        biased_index: int = 254,
        scored_class_ids: Sequence[int] | None = None,
        complement: Complement | None = None,
        mixing: Mixing | None = None,
        loss_size: Literal["image", "logits"] = "image",
        norm: Literal["pixels", "weights"] = "pixels",
        lr: float = 1e-3,
        lr_every: int = 1,
        head_factor: float = 10.0,
        optimizer: Kind = "sgd",
        momentum: float = 0.9,
        weight_decay: float = 4e-5,
        scales: Sequence[float] = SCALES,
        flip: bool = FLIP,
        average: Average = "probabilities",
        resampling: Resampling = "centres",
        least_probability: float = LEAST_PROBABILITY,
        compile: bool = False,
        window: SlidingWindow | None = None,
        predict_with: Literal["teacher", "student"] = "teacher",
        weights: str | None = None,
    ) -> None:
        super().__init__(
            make_network(network, num_classes),
            lr=lr,
            optimizer=optimizer,
            head_factor=head_factor,
            momentum=momentum,
            weight_decay=weight_decay,
            lr_every=lr_every,
            weights=weights,
        )
        self.teacher = deepcopy(self.network).requires_grad_(False).eval()
        self.complement, self.mixing = complement, mixing
        self.loss = WeightedCrossEntropy(ignore_index, norm, loss_size)
        self.teacher_scores = SegmentationScores(num_classes, ignore_index, scored_class_ids)
        self.student_scores = SegmentationScores(num_classes, ignore_index, scored_class_ids)
        self.num_classes, self.ignore_index, self.biased_index = num_classes, ignore_index, biased_index
        self.scales, self.flip, self.window = tuple(scales), flip, window
        self.average, self.resampling = average, resampling
        self.predict_with, self.least_probability, self.compiled = predict_with, least_probability, compile
        self._same_weights = weights is not None
        self._said_ignored = False
        self._images = 0

    def train(self, mode: bool = True) -> SegmentationModule:
        """Switch to training; the teacher stays in evaluation."""
        super().train(mode)
        self.teacher.eval()
        return self

    def setup(self, stage: str) -> None:
        """Refuse a network that does not fit the data, see ``check_output``; compile one that is to be trained."""
        check_output(self.teacher, self.num_classes)
        if self.compiled and stage == "fit":
            self.network.compile()  # in place: torch.compile would put a prefix before every weight's name
            self.teacher.compile()

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Weighted cross entropy (Eq. 7) of a batch of crops."""
        images, (label, weight) = batch["image"], self._target(batch)
        if self.mixing is not None:  # after the teacher, which sees images as they are
            images, label, weight = self.mixing(images, label, weight, self.ignore_index)
        outputs = self.network(images)
        every = outputs if isinstance(outputs, list) else [outputs]
        loss = torch.stack([self.loss(logits, label, weight) for logits in every]).sum()
        self.log_training(batch, prog_bar=True, loss=loss)
        return loss

    def _target(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor | None]:
        """Return Yᶜᵒ and W; without a complement, Yᵈᵇ with its biased pixels ignored."""
        label = batch["label"]
        biased = label == self.biased_index
        self.log_training(batch, biased_share=biased.float().mean())
        with_biased = int(biased.flatten(1).any(dim=1).sum())
        if not with_biased:
            return label, None
        if self.complement is None:
            if not self._said_ignored:
                self.print(f"biased pixels ({self.biased_index}) are ignored: this training has no teacher's fill")
                self._said_ignored = True
            return torch.where(biased, self.ignore_index, label), None
        with torch.no_grad():
            logits = self.teacher(batch["image"])  # always of one size: `VariedSizes` says why
            label, weight = self.complement(
                batch["image"], logits, label, batch["classes"], self.biased_index, batch.get("valid")
            )
        filled = {"certainty": weight[biased].mean(), "restored_share": (label[biased] > 0).float().mean()}
        self.log_dict({f"train/{name}": value for name, value in filled.items()}, batch_size=with_biased)
        return label, weight

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Tensor]:
        """Count one whole image, or several of one size, for teacher and student; one without truth is not measured.

        Returns:
            ``prediction``: the teacher's mask, int64 (B, H, W), for who shows pictures.
        """
        masks = []
        self._images += len(batch["image"]) if "truth" in batch else 0
        for _, network, scores in self._scored:
            masks.append(resize(network(batch["image"]).float(), batch["image"].shape[-2:]).max(dim=1).indices)
            if "truth" in batch:
                scores.update(masks[-1], batch["truth"])
        return {"prediction": masks[0]}

    def test_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Tensor]:
        """Count as a validation does."""
        return self.validation_step(batch, batch_index)

    def on_validation_epoch_end(self) -> None:
        """Log ``val/<role>/miou`` and its fellows and ``val/images``, and say them in one line."""
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        """Log the same as ``test/…``."""
        self._log_scores("test")

    def _log_scores(self, job: str) -> None:
        line = []
        split = getattr(getattr(self.trainer, "datamodule", None), "validate_split", None) or job
        images = self.trainer.strategy.reduce(torch.tensor(float(self._images), device=self.device), reduce_op="sum")
        self._images = 0
        for role, _, scores in self._scored:
            values = scores.compute()
            scores.reset()
            if values["miou"].isnan():  # no image had truth
                return
            of_classes = dict(zip(("iou", "fp", "fn"), values.pop("classes"), strict=True))
            self.log_dict({f"{job}/{role}/{name}": value.float() for name, value in values.items()}, sync_dist=True)
            for name, figures in of_classes.items():
                self.log_classes(f"{job}/{role}/{name}", figures)
            line.append(f"{role} mIoU {100 * values['miou']:.1f} %, FP {values['fp']:.3f}, FN {values['fn']:.3f}")
        self.log(f"{job}/images", images)
        about = f"{split}, {int(images):,} images, scale 1, no flip, no refinement"
        self.print(f"epoch {self.current_epoch} ({about}): " + "; ".join(line))

    def predict_step(self, batch: dict[str, Any], batch_index: int) -> SegmentationPrediction:
        """Predict one whole image (batches of one)."""
        network = self.teacher if self.predict_with == "teacher" else self.network
        predict = partial(
            multi_scale_probabilities,
            network,
            scales=self.scales,
            flip=self.flip,
            average=self.average,
            resampling=self.resampling,
        )
        probabilities = slide(predict, batch["image"], self.window) if self.window else predict(batch["image"])
        return SegmentationPrediction(batch["id"][0], drop_improbable(probabilities, self.least_probability)[0])

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Optimise the student as it says; where it says nothing, at one rate."""
        if hasattr(self.network, "parameter_groups"):
            return self.network.parameter_groups(self.lr, self.head_factor)  # type: ignore[operator]
        return [{"params": [p for p in self.network.parameters() if p.requires_grad]}]

    def export(self) -> dict[str, nn.Module]:
        """Return what a fit leaves, by file name: the teacher, to be used next, and the student for comparison."""
        return {"weights": self.teacher, "student": self.network}

    @property
    def _scored(self) -> list[tuple[str, nn.Module, SegmentationScores]]:
        """Teacher and student; outside a fit, weights from a file make one network of the two."""
        both = [
            ("teacher", self.teacher, self.teacher_scores),
            ("student", self.network, self.student_scores),
        ]
        fitting = self.trainer.state.fn == TrainerFn.FITTING
        return both if fitting or not self._same_weights else both[:1]
