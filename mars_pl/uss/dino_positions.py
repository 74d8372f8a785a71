"""Position embeddings for other grids as DINO's own code makes them, which STEGO and Leopart took with its weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

OFFSET = 0.1
"""DINO adds it to both sides of the grid in the scale factor (its issue 8): positions lie a little off the centres."""


def interpolate_positions(positions: Tensor, old: tuple[int, int], new: tuple[int, int], prefix: int = 1) -> Tensor:
    """Read learnt position embeddings at another grid (``interpolate_pos_encoding`` of DINO's transformer).

    timm reads the same embeddings with antialiasing and without the offset.

    Args:
        positions: (1, prefix + h·w, D).
        old: h and w, tokens to a side.
        new: H and W of the grid that is wanted.
        prefix: class tokens, whose positions stay.

    Returns:
        (1, prefix + H·W, D); ``positions`` themselves where the grid is theirs.
    """
    if new == old:
        return positions
    grid = positions[:, prefix:].transpose(1, 2).unflatten(2, old)
    # Without a size, the factors themselves place the samples, and their .1 is not rounded away.
    factors = tuple((wanted + OFFSET) / had for wanted, had in zip(new, old, strict=True))
    read = F.interpolate(grid, scale_factor=factors, mode="bicubic")
    return torch.cat([positions[:, :prefix], read.flatten(2).transpose(1, 2)], dim=1)


class DINOTransformer(VisionTransformer):
    """timm's vision transformer with DINO's positions; ``FrozenViT`` makes one of each network that DINO trained."""

    def _pos_embed(self, x: Tensor) -> Tensor:
        """Put the class token before tokens (B, h, w, D) and add the positions: (B, 1 + h·w, D)."""
        new = (int(x.shape[1]), int(x.shape[2]))
        positions = interpolate_positions(self.pos_embed, self.patch_embed.grid_size, new, self.num_prefix_tokens)
        before = [] if self.cls_token is None else [self.cls_token.expand(len(x), -1, -1)]
        return self.pos_drop(torch.cat([*before, x.flatten(1, 2)], dim=1) + positions)
