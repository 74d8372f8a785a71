"""Tokens of earlier batches, which let few images use many prototypes evenly (SwAV; Leopart's ``queue``)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mars_pl.training.whole_batch import draw_for_all, own_rows


class TokenQueue(nn.Module):
    """The newest unit vectors of all processes, first in first out; it counts once it is full.

    Every process holds the same ones, so that their number changes neither what is drawn nor what is assigned along.

    Args:
        length: vectors it holds.
        dim: of a vector.
    """

    def __init__(self, length: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(length, dim))
        self.register_buffer("stored", torch.zeros((), dtype=torch.int64))
        self.vectors: Tensor
        self.stored: Tensor

    @property
    def full(self) -> bool:
        """Whether every place has been filled."""
        return int(self.stored) >= len(self.vectors)

    @property
    def share(self) -> Tensor:
        """The vectors that this process assigns along, so that among all processes each counts once."""
        return own_rows(self.vectors)

    @torch.no_grad()
    def push(self, vectors: Tensor, most: int) -> None:
        """Put up to ``most`` of vectors (N, dim) of the whole batch, drawn at random, in front; the oldest fall out."""
        order = draw_for_all(lambda: torch.randperm(len(vectors), device=vectors.device))
        drawn = order[: min(most, len(self.vectors))]
        chosen = vectors[drawn].to(self.vectors.dtype)
        self.vectors.copy_(torch.cat([chosen, self.vectors])[: len(self.vectors)])
        self.stored += len(chosen)
