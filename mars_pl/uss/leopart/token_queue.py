"""Tokens of earlier batches, which let few images use many prototypes evenly (SwAV; Leopart's ``queue``)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TokenQueue(nn.Module):
    """The newest unit vectors, first in first out; it counts once it is full.

    The checkpoint of several processes holds the first one's, from which all go on.

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

    @torch.no_grad()
    def push(self, vectors: Tensor, most: int) -> None:
        """Put up to ``most`` of vectors (N, dim), drawn at random, in front; the oldest fall out."""
        drawn = torch.randperm(len(vectors), device=vectors.device)[: min(most, len(self.vectors))]
        chosen = vectors[drawn].to(self.vectors.dtype)
        self.vectors.copy_(torch.cat([chosen, self.vectors])[: len(self.vectors)])
        self.stored += len(chosen)
