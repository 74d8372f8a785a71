"""From scores to a pseudo label Yᵇ: constant background score, argmax, refinement (IRNet's CAM labels)."""

from __future__ import annotations

import torch
from torch import Tensor

from mars_pl.refine.protocol import Refine


def region_index(scores: Tensor, background_score: float) -> Tensor:
    """Argmax of the maps and of a constant background score.

    Args:
        scores: (K, H, W) in [0, 1], one map a class of the image; K may be 0.
        background_score: in [0, 1].

    Returns:
        int64 (H, W): 0 background, k + 1 for map k.
    """
    background = scores.new_full((1, *scores.shape[1:]), background_score)
    return torch.cat([background, scores]).argmax(0)


def label_probabilities(index: Tensor, channels: int, certainty: float) -> Tensor:
    """Probabilities (channels, H, W) of a hard label map: ``certainty`` for its label, the rest shared by the others.

    This is the unary that dense CRF takes from labels (``unary_from_labels`` without an unsure label; IRNet has 0.7).
    """
    others = (1 - certainty) / max(channels - 1, 1)
    probabilities = torch.full((channels, *index.shape), others)
    return probabilities.scatter_(0, index[None], certainty)


def pseudo_label(
    image: Tensor,
    scores: Tensor,
    class_ids: Tensor,
    background_score: float,
    refine: Refine | None,
    certainty: float = 0.7,
) -> Tensor:
    """Pseudo label of one image from the scores of its classes.

    Args:
        image: uint8 (3, H, W), which the refinement follows.
        scores: (K, H, W) in [0, 1].
        class_ids: int64 (K,), the label of each map.
        background_score: what a class must exceed.
        refine: sharpens the label along the image; ``None`` leaves the argmax.
        certainty: of the argmax in the refinement's unary.

    Returns:
        int64 (H, W) of 0 and ``class_ids``.
    """
    index = region_index(scores, background_score)
    if refine is not None and index.any():
        probabilities = label_probabilities(index, len(scores) + 1, certainty)
        index = refine(image[None], probabilities[None])[0].argmax(0)
    return torch.cat([class_ids.new_zeros(1), class_ids])[index]  # map number → label: 0, then the classes
