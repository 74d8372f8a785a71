"""What Leopart puts on a vision transformer: a projection and the prototypes it clusters with (``src/vit.py``)."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.precision import at_least_single


class LeopartHead(nn.Module):
    """Tokens to unit vectors, and unit vectors to cosines with unit prototypes.

    Args:
        channels: D of the tokens.
        dim: of the unit vectors.
        hidden: channels of the layers between.
        layers: linear layers, with GELU between them.
        prototypes: K.

    Raises:
        ValueError: where ``layers`` is below 1.
    """

    def __init__(
        self, channels: int, dim: int = 256, hidden: int = 2048, layers: int = 3, prototypes: int = 300
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers: a projection has at least 1, not {layers}")
        sides = [channels, *[hidden] * (layers - 1), dim]
        steps: list[nn.Module] = []
        for before, after in pairwise(sides):
            steps += [nn.Linear(before, after), nn.GELU()]
        self.projection = nn.Sequential(*steps[:-1])
        self.prototypes = nn.Linear(dim, prototypes, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        self.normalise_prototypes()

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, D, h, w) to vectors (B, dim, h, w) of unit length."""
        # Linear layers work on the last dimension, so the channels go there and back.
        return F.normalize(at_least_single(self.projection(tokens.movedim(1, -1))), dim=-1).movedim(-1, 1)

    def scores(self, vectors: Tensor) -> Tensor:
        """Map unit vectors (B, dim, …) to their cosines (B, K, …) with the prototypes."""
        # A prototype is a row of the weight; whatever follows the channels (h and w, or nothing) stays.
        return at_least_single(torch.einsum("bd...,kd->bk...", vectors, self.prototypes.weight))

    @torch.no_grad()
    def normalise_prototypes(self) -> None:
        """Bring the prototypes back to unit length, as Leopart does before every step."""
        self.prototypes.weight.copy_(F.normalize(self.prototypes.weight, dim=1))
