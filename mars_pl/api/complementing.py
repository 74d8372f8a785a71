"""§3.4 in a training step of one's own: what the teacher gives back, and how certain it is (Eq. 6)."""

from __future__ import annotations

import torch
from torch import Tensor

from mars_pl.debias.defaults import BIASED_INDEX
from mars_pl.segment import complement


class Complement(complement.Complement):
    """Fills the biased pixels of a training batch by a teacher and weighs them by its certainty (§3.4, Eq. 6).

    In a training step, with an EMA ``teacher`` in evaluation mode::

        label, weight = complement(images, teacher(images), label, classes)
        loss = WeightedCrossEntropy()(student(images), label, weight)

    Its settings are those of ``mars_pl.segment.complement.Complement``.
    """

    @torch.no_grad()
    def forward(
        self,
        images: Tensor,
        logits: Tensor,
        label: Tensor,
        classes: Tensor,
        biased_index: int = BIASED_INDEX,
        valid: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return Yᶜᵒ, int64 (B, H, W), and W in [0, 1], float32 (B, H, W).

        Args:
            images: uint8 (B, 3, H, W), not normalised.
            logits: of the teacher, (B, num_classes, h, w), any size.
            label: Yᵈᵇ, integers (B, H, W).
            classes: the image labels, (B, num_classes − 1) zeros and ones.
            biased_index: the label's code of biased pixels.
            valid: bool (B, H, W), False where a crop was padded; None is all valid.

        Raises:
            ValueError: in one line, where a shape or a type is another.
        """
        return super().forward(images, logits, label, classes, biased_index, valid)
