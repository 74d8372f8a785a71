"""Predictions at several scales, drawn to their mixture (ADELE's JSD_loss.py)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAST = 1e-3
"""The mixture stays this far from 0 and 1, so that its logarithm stays finite (ADELE's value)."""


class MultiScaleConsistency(nn.Module):
    """The divergence of each scale's softmax from their mixture, by shares that are learnt.

    Args:
        scales: number of them.
        least_certain: a crop whose mixture exceeds this probability nowhere takes no part.
    """

    def __init__(self, scales: int, least_certain: float = 0.8) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(scales))
        self.least_certain = least_certain

    def shares(self) -> Tensor:
        """Return each scale's share, (S,); they sum to 1. ADELE multiplies its logits with it in the cross entropy."""
        return self.weights.float().softmax(dim=0)

    def forward(self, logits: Sequence[Tensor], valid: Tensor) -> Tensor:
        """Return Σ over scales of KL(softmax ‖ mixture), averaged over all pixels of all crops; a float32 scalar.

        Args:
            logits: of each scale, (B, K, H, W), brought to one size.
            valid: bool (B, H, W), pixels where a crop may be certain.
        """
        logs = [F.log_softmax(maps.float(), dim=1) for maps in logits]
        probabilities = [log.exp() for log in logs]
        mixture = sum(share * maps for share, maps in zip(self.shares(), probabilities, strict=True))
        assert isinstance(mixture, Tensor)
        mixture = mixture.clamp(LEAST, 1 - LEAST)
        certain = ((mixture * valid[:, None]).amax(dim=(1, 2, 3)) >= self.least_certain).float()
        divergence = torch.stack(
            [(maps * (log - mixture.log())).sum(dim=1) for maps, log in zip(probabilities, logs, strict=True)]
        ).sum(dim=0)
        return (divergence.mean(dim=(1, 2)) * certain).mean()
