"""Chance that repeats: whatever is drawn for an item depends on (seed, epoch, index) and on nothing before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def generator(*numbers: int) -> torch.Generator:
    """Return a generator of its own for these non-negative numbers; neighbouring numbers give unrelated streams."""
    return torch.Generator().manual_seed(_mixed(numbers))


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Seed torch's global generator for the length of a block and leave it as it was found."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(_mixed(numbers))
        yield


def _mixed(numbers: tuple[int, ...]) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
