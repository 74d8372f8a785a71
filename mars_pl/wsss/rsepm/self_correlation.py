"""Self-correlation map guidance (SCG): scores spread to where the features resemble those of confident places.

The formulas are those of RS+EPM's first commit (core/inferences.py at 4fbc05c), after Pan et al. (SPOL, CVPR 2021).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-10


def self_correlation(features: Tensor, first_cut: float = 0.5, second_cut: float = 0.1) -> Tensor:
    """Hierarchical self-correlation of the cells of feature maps.

    The first order is the cosine of two cells' features, zero below ``first_cut``; the second order is the product of
    the first with itself, its diagonal left out, zero below ``second_cut`` / (h·w). Columns of each sum to 1, then the
    larger of the two counts.

    Args:
        features: (B, D, h, w).
        first_cut: least cosine.
        second_cut: least second order, as a multiple of an even spread over the cells.

    Returns:
        (B, h·w, h·w); entry (i, j) says how far cell i resembles cell j. Columns sum to 1 (to 0 without any likeness).
    """
    directions = F.normalize(features.flatten(2), dim=1, eps=EPSILON)
    cosine = directions.transpose(1, 2) @ directions  # (B, h·w, h·w), every cell with every cell
    cosine = cosine * (cosine >= max(first_cut, 0))
    first = _share(cosine)
    # Without its diagonal: what two cells both resemble counts, not that each resembles itself.
    others = _share(cosine - torch.diag_embed(cosine.diagonal(dim1=1, dim2=2)))
    second = _share(others @ others)
    second = second * (second >= second_cut / cosine.shape[1])
    return _share(torch.maximum(first, second))


def guided_scores(scores: Tensor, correlation: Tensor, foreground: float = 0.3, background: float = 0.05) -> Tensor:
    """Scores from what resembles a class's confident places more than the places where it surely is not.

    Args:
        scores: (B, C, h, w) in [0, 1].
        correlation: (B, h·w, h·w), see ``self_correlation``.
        foreground: scores from here on are a class's seeds.
        background: scores up to here are seeds of its absence.

    Returns:
        (B, C, h, w) in [0, 1]; zeros for a class without seeds.
    """
    likeness = _stretch(correlation, dim=1)
    flat = scores.flatten(2).transpose(1, 2)  # (B, h·w, C)
    # Likeness summed over a class's seeds: (B, h·w, h·w) @ (B, h·w, C) → (B, h·w, C).
    near = _stretch(likeness @ (flat >= foreground).to(likeness), dim=1)
    far = _stretch(likeness @ (flat <= background).to(likeness), dim=1)
    return _stretch(F.relu(near - far), dim=1).transpose(1, 2).unflatten(2, scores.shape[-2:])


class SelfCorrelationGuidance:
    """Both steps with the published command line's values (infer_rsepm.py).

    Args:
        first_cut: see ``self_correlation``.
        second_cut: likewise.
        foreground: see ``guided_scores``.
        background: likewise.

    Raises:
        ValueError: where the background score is not below the foreground score.
    """

    def __init__(
        self, first_cut: float = 0.5, second_cut: float = 0.1, foreground: float = 0.3, background: float = 0.05
    ) -> None:
        if not 0 <= background < foreground <= 1:
            raise ValueError(f"scores 0 ≤ background < foreground ≤ 1 are needed, not {background} and {foreground}")
        self.cuts = (first_cut, second_cut)
        self.foreground, self.background = foreground, background

    def __call__(self, features: Tensor, scores: Tensor) -> Tensor:
        """Guide scores (B, C, h, w) by features (B, D, h, w); returns (B, C, h, w) in [0, 1]."""
        with torch.autocast(features.device.type, enabled=False):  # in float16 EPSILON is 0, and 0/0 labels nothing
            correlation = self_correlation(features.float(), *self.cuts)
            return guided_scores(scores.float(), correlation, self.foreground, self.background)


def _share(matrix: Tensor) -> Tensor:
    """Divide each column of (B, n, n) by its sum."""
    return matrix / (matrix.sum(dim=1, keepdim=True) + EPSILON)


def _stretch(values: Tensor, dim: int) -> Tensor:
    """Move minimum and maximum along ``dim`` to 0 and 1; what is even becomes 0."""
    low, high = values.amin(dim, keepdim=True), values.amax(dim, keepdim=True)
    return (values - low) / (high - low + EPSILON)
