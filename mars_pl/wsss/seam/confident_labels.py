"""Confident labels as PSA and SEAM draw them: two strengths of the background, each sharpened along the image."""

from __future__ import annotations

import torch
from torch import Tensor

from mars_pl.refine.protocol import Refine
from mars_pl.wsss.propagation.background_power import background_power
from mars_pl.wsss.propagation.confident_label import CompetingLabels


class BackgroundPowerLabels(CompetingLabels):
    """Objects that stand against a strong background, and background that stands even where it is made weak.

    The background is (1 − largest score)^alpha, once with a low power, which leaves confident objects only, and once
    with a high power, which leaves confident background only (infer_SEAM.py, PSA's infer_cls.py).

    Args:
        low_alpha: of the strong background; SEAM and PSA have 4.
        high_alpha: of the weak background; SEAM has 24, PSA 32.
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

    def compete(self, image: Tensor, scores: Tensor) -> Tensor:
        """Let the maps compete with both backgrounds; without a class the background has no rival."""
        if not len(scores):
            return scores.new_ones(2, 1, *image.shape[-2:])
        competing = torch.stack(
            [torch.cat([background_power(scores, alpha), scores]) for alpha in (self.low_alpha, self.high_alpha)]
        )
        if self.refine is not None:
            competing = torch.stack([self.refine(image[None], maps[None])[0] for maps in competing])
        return competing
