"""The background that PSA and SEAM infer from the scores of the classes."""

from __future__ import annotations

from torch import Tensor


def background_power(scores: Tensor, alpha: float) -> Tensor:
    """Return (1 − largest score)^alpha, shape (1, H, W), of scores (K, H, W) in [0, 1]; the larger alpha, the less.

    K must not be 0.
    """
    return (1 - scores.amax(0, keepdim=True)) ** alpha
