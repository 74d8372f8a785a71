"""What CLIMS asks of similarities between masked images and sentences (its clip_loss.py)."""

from __future__ import annotations

import torch
from torch import Tensor

from mars_pl.training.over_processes import mean_count, place

LEAST = 1e-4
"""Similarities stay this far from 0 and 1 inside a logarithm (CLIMS' value)."""


def match_loss(similarities: Tensor) -> Tensor:
    """Return −mean log of similarities (N,), so that what is inside a map looks like its class; 0 of none."""
    return _mean(-similarities.clamp(LEAST, 1 - LEAST).log())


def mismatch_loss(similarities: Tensor) -> Tensor:
    """Return −mean log(1 − similarity) of (N,), so that what is outside a map does not; 0 of none."""
    return _mean(-(1 - similarities.clamp(LEAST, 1 - LEAST)).log())


def suppression_loss(similarities: Tensor, threshold: float = 0.26) -> Tensor:
    """Return −Σ log(1 − similarity) over those of (N, P) above a threshold: the inside is not to show its companions.

    A sum, as CLIMS has it, over the batches of all processes.

    Args:
        similarities: of N masked images and P sentences about companions.
        threshold: above which a companion counts as shown.
    """
    shown = similarities > threshold
    terms = -(1 - similarities.clamp(max=1 - LEAST)).log()
    return torch.where(shown, terms, torch.zeros_like(terms)).sum() * place()[1]  # DDP divides by the processes


def _mean(terms: Tensor) -> Tensor:
    """The mean over the pairs of all processes, which may have unlike many."""
    return terms.sum() / mean_count(terms.new_tensor(float(len(terms))), least=1.0)
