"""Confident labels as PSA and SEAM draw them: two strengths of the background, each sharpened along the image."""

from __future__ import annotations

import torch
from torch import Tensor

from mars_pl.refine.protocol import Refine
from mars_pl.wsss.propagation.background_power import background_power
from mars_pl.wsss.propagation.confident_label import UNSURE, ConfidentLabels


class BackgroundPowerLabels(ConfidentLabels):
    """Objects that stand against a strong background, and background that stands even where it is made weak.

    The background is (1 − largest score)^alpha, once with a low power, which leaves confident objects only, and once
    with a high power, which leaves confident background only (infer_SEAM.py, voc12/data.py; PSA likewise).

    Args:
        low_alpha: of the strong background; SEAM has 4.
        high_alpha: of the weak background; SEAM has 24.
        refine: applied to both (published: dense CRF, ``cam``); None leaves the argmax.

    Raises:
        ValueError: where the powers are not 0 < low < high.
    """

    def __init__(self, low_alpha: float = 4.0, high_alpha: float = 24.0, refine: Refine | None = None) -> None:
        if not 0 < low_alpha < high_alpha:
            raise ValueError(
                f"the powers of the background, {low_alpha} and {high_alpha}: give 0 < low_alpha < high_alpha"
            )
        self.low_alpha, self.high_alpha, self.refine = low_alpha, high_alpha, refine

    def __call__(self, image: Tensor, scores: Tensor, class_ids: Tensor) -> Tensor:
        """Draw the label of one image: background is 0, confident objects keep their class, the rest is 255."""
        if not len(scores):
            return torch.zeros(image.shape[-2:], dtype=torch.int64)
        low, high = (self._region_index(image, scores, alpha) for alpha in (self.low_alpha, self.high_alpha))
        objects = torch.cat([class_ids.new_full((1,), UNSURE), class_ids])[low]
        return objects.masked_fill(high == 0, 0)

    def _region_index(self, image: Tensor, scores: Tensor, alpha: float) -> Tensor:
        competing = torch.cat([background_power(scores, alpha), scores])
        if self.refine is not None:
            competing = self.refine(image[None], competing[None])[0]
        return competing.argmax(0)
