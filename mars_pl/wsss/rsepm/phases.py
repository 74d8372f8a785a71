"""When RS+EPM (our reconstruction) learns from what."""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """Where seeds come from, and whether mixed images are learnt too."""

    CAM = "seeds from the class activation maps"
    RECURSIVE = "seeds from the teacher's decoder"
    MIXED = "seeds from the teacher's decoder, and mixed images"


def first_epoch(start: float, max_epochs: int | None) -> float:
    """Epoch, counted from 0, at which a phase starts: ``start`` itself, or below 1 that share of the fit.

    Raises:
        ValueError: where a share is asked of a fit without ``max_epochs``, or ``start`` is negative.
    """
    if start < 0:
        raise ValueError(f"a phase starts at an epoch or at a share of the fit, not at {start}")
    if start >= 1 or start == 0:
        return start
    if max_epochs is None or max_epochs < 1:
        raise ValueError(f"a phase that starts at {start} of the fit needs trainer.max_epochs; set it or give an epoch")
    return start * max_epochs


def phase_of(epoch: int, max_epochs: int | None, recursive_from: float, mixed_from: float) -> Phase:
    """Phase of an epoch counted from 0.

    Args:
        epoch: the epoch.
        max_epochs: of the fit.
        recursive_from: first epoch, or share of the fit, of the second phase (the authors' tag: ``RS(ep=5)``).
        mixed_from: likewise of the third (``CM(ep=15)``).
    """
    if epoch >= first_epoch(mixed_from, max_epochs):
        return Phase.MIXED
    return Phase.RECURSIVE if epoch >= first_epoch(recursive_from, max_epochs) else Phase.CAM
