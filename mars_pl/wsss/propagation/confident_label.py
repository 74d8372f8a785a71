"""Confident labels: where scores say clearly what is object and what background, and 255 in between (IRNet and PSA).

The propagation networks learn from them which pixels belong together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from mars_pl.refine.protocol import Refine
from mars_pl.wsss.pseudo_label import pseudo_label

UNSURE = 255
"""Code of a pixel that is neither clearly object nor clearly background: the code that trainings ignore."""

SILENT = 1e-5
"""Where no map reaches this there is nothing to tell, as in the padding of a crop (PSA, voc12/data.py)."""


class ConfidentLabels(ABC):
    """Draw the confident label of one image from the scores of its classes.

    A base class and no `typing.Protocol`, for the reason that `Refine` gives. Confident labels are made in worker
    processes, so an instance must pickle.
    """

    refine: Refine | None = None
    """What sharpens the label, named beside the files; None for nothing."""

    @abstractmethod
    def __call__(self, image: Tensor, scores: Tensor, class_ids: Tensor) -> Tensor:
        """Draw the label of one image.

        Args:
            image: uint8 RGB (3, H, W).
            scores: (K, H, W) in [0, 1]; K may be 0.
            class_ids: int64 (K,), the label of each map.

        Returns:
            int64 (H, W) of 0, ``class_ids`` and 255.
        """


def combine(foreground: Tensor, background: Tensor) -> Tensor:
    """Put a label that is slow to call something object and one that is quick to together (IRNet, cam_to_ir_label.py).

    Args:
        foreground: int64 of any shape, from a high background score: its classes are confident.
        background: int64 of the same shape, from a low one: its background is confident.

    Returns:
        The classes of ``foreground``; elsewhere 0 where ``background`` is 0 too, and 255 where it is not.
    """
    return torch.where((foreground == 0) & (background != 0), UNSURE, foreground)


class ThresholdConfidentLabels(ConfidentLabels):
    """Two constant background scores, each an argmax that is refined as a label.

    Args:
        foreground_score: what a confident object exceeds; IRNet has .30, AdvCAM .35.
        background_score: what confident background stays below; IRNet has .05, AdvCAM .15.
        refine: applied to both labels (published: dense CRF); None leaves the argmax.
        certainty: of the argmax in the refinement's unary.

    Raises:
        ValueError: where the scores are not 0 ≤ background ≤ foreground ≤ 1.
    """

    def __init__(
        self,
        foreground_score: float = 0.3,
        background_score: float = 0.05,
        refine: Refine | None = None,
        certainty: float = 0.7,
    ) -> None:
        if not 0 <= background_score <= foreground_score <= 1:
            raise ValueError(
                f"confident background stays below {background_score} and confident objects exceed {foreground_score}: "
                "give background_score ≤ foreground_score, both in [0, 1]"
            )
        self.foreground_score, self.background_score = foreground_score, background_score
        self.refine, self.certainty = refine, certainty

    def __call__(self, image: Tensor, scores: Tensor, class_ids: Tensor) -> Tensor:
        """Draw the label of one image; see `ConfidentLabels`."""
        foreground, background = (
            pseudo_label(image, scores, class_ids, score, self.refine, self.certainty)
            for score in (self.foreground_score, self.background_score)
        )
        return combine(foreground, background)


class CompetingLabels(ConfidentLabels):
    """Maps compete with a background twice, a strong and a weak one; what wins both ways is confident (PSA and SEAM).

    The maps are kept beside the label: a network that learns from cells averages them there before anything wins.
    """

    @abstractmethod
    def compete(self, image: Tensor, scores: Tensor) -> Tensor:
        """Return probabilities (2, K + 1, H, W), background first: with the strong background, then with the weak.

        Args:
            image: uint8 RGB (3, H, W).
            scores: (K, H, W) in [0, 1]; K may be 0.
        """

    def __call__(self, image: Tensor, scores: Tensor, class_ids: Tensor) -> Tensor:
        """Draw the label of one image; see `ConfidentLabels`."""
        winner = winners(self.compete(image, scores))
        label_of = winner.new_full((UNSURE + 1,), UNSURE)  # map number → label: 0, the classes, 255
        label_of[: len(class_ids) + 1] = torch.cat([class_ids.new_zeros(1), class_ids])
        return label_of[winner]


def winners(competing: Tensor, unsure: int = UNSURE) -> Tensor:
    """Say which map is confident at each place (PSA and SEAM, voc12/data.py).

    Args:
        competing: (…, 2, K + 1, H, W), probabilities as `CompetingLabels.compete` gives them or their means over cells.
        unsure: code of a place where none is.

    Returns:
        int64 (…, H, W): 0 where even the weak background wins, k where map k wins against the strong one, else unsure.
    """
    objects, background = competing.argmax(-3).unbind(-3)
    label = torch.where(objects == 0, unsure, objects).masked_fill(background == 0, 0)
    return label.masked_fill(competing.amax((-4, -3)) < SILENT, unsure)
