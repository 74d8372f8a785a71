"""RecurSeed (our reconstruction): the teacher's scores, refined, become the seeds of the next step."""

from __future__ import annotations

import torch
from torch import Tensor

from mars_pl.networks.aspp import resize
from mars_pl.refine.protocol import Refine
from mars_pl.wsss.cam.activation import normalise_activation
from mars_pl.wsss.propagation.confident_label import UNSURE
from mars_pl.wsss.rsepm.network import SingleStageOutput
from mars_pl.wsss.rsepm.seeds import present_probabilities, seed_labels, with_background
from mars_pl.wsss.rsepm.self_correlation import SelfCorrelationGuidance


def activation_scores(class_maps: Tensor, classes: Tensor) -> Tensor:
    """Class activation maps (B, C, h, w) of the image's ``classes`` (B, C): rectified, each divided by its maximum."""
    return normalise_activation(class_maps.float().clamp(min=0)) * classes[:, :, None, None]


def decoder_scores(logits: Tensor, classes: Tensor) -> Tensor:
    """Foreground probabilities (B, C, h, w) of the image's ``classes`` from the decoder's logits (B, C + 1, h, w)."""
    return present_probabilities(logits, classes)[:, 1:]


class SeedSource:
    """Scores, guided and refined, become labels.

    The authors publish the parts (self-correlation guidance, PAMR, the two thresholds), not how they meet. Ours: the
    mean of the scores and of the scores guided by the last features, so that a seed needs both; then PAMR, if any,
    against a background of 1 − (highest score); then the thresholds.

    Args:
        guidance: by self-correlation; ``None`` leaves the scores.
        refine: along the image, e.g. PAMR; ``None`` leaves the scores.
        certain: see ``seed_labels``.
        uncertain: likewise.
    """

    def __init__(
        self,
        guidance: SelfCorrelationGuidance | None = None,
        refine: Refine | None = None,
        certain: float = 0.55,
        uncertain: float = 0.1,
    ) -> None:
        self.guidance, self.refine = guidance, refine
        self.certain, self.uncertain = certain, uncertain

    @torch.no_grad()
    def __call__(self, image: Tensor, output: SingleStageOutput, scores: Tensor, valid: Tensor) -> Tensor:
        """Seeds of a batch.

        Args:
            image: uint8 (B, 3, H, W).
            output: of the teacher; its features guide.
            scores: (B, C, h, w) in [0, 1], 0 for classes that are not in the image.
            valid: bool (B, H, W); outside it the seeds are 255.

        Returns:
            int64 (B, H, W): 0, 1…C, 255.
        """
        size = image.shape[-2:]
        refined = resize(scores, size)
        if self.guidance is not None:
            cells = output.features.shape[-2:]
            refined = (refined + resize(self.guidance(output.features, resize(scores, cells)), size)) / 2
        if self.refine is not None:
            refined = self.refine(image, with_background(refined))[:, 1:]
        return torch.where(valid, seed_labels(refined, self.certain, self.uncertain), UNSURE)
