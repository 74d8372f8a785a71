"""What the probe learns from: some cells of an image, and whether its label calls them background, object or biased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mars_pl.debias.patch_labels import majority_label

BACKGROUND, OBJECT, BIASED = range(3)
"""Kinds of cells: outside Yᵇ's objects; inside and kept; inside and removed."""


class Cells(NamedTuple):
    """Cells of images.

    Attributes:
        tokens: (n, D) float32.
        kinds: (n,) int64, ``BACKGROUND``, ``OBJECT`` or ``BIASED``.
    """

    tokens: Tensor
    kinds: Tensor


def cells_of(features: Tensor, label: Tensor, most: int, *, ignore_index: int, biased_index: int) -> Cells:
    """Take cells of one image at even steps, row by row, each with the kind that covers most of it.

    Nothing is drawn: which ones depends on the image alone, not on processes or a seed.

    Args:
        features: (D, h, w) of the whole image.
        label: (H, W), its debiased label.
        most: cells taken, or all where there are fewer. Cells that are mostly ignored take no part.
        ignore_index: label code of pixels that take no part.
        biased_index: label code of removed pixels.
    """
    ignored = label == ignore_index
    kinds = torch.where(label == biased_index, BIASED, (label > 0).long()).masked_fill(ignored, ignore_index)
    grid = (features.shape[1], features.shape[2])
    cells = majority_label(kinds, grid, ignore_index=ignore_index, biased_index=ignore_index).flatten()
    places = (cells != ignore_index).nonzero().flatten()
    places = places[even_steps(len(places), most)]
    return Cells(features.detach().float().cpu().flatten(1).T[places], cells[places])


def even_steps(count: int, most: int) -> Tensor:
    """Return at most so many of ``count`` places, at even steps, the first and the last alike far from their end."""
    taken = min(count, most)
    return torch.div((2 * torch.arange(taken) + 1) * count, 2 * max(taken, 1), rounding_mode="floor")


def together(parts: Sequence[Cells]) -> Cells:
    """Put the cells of several images under one another.

    Raises:
        ValueError: where there is none.
    """
    if not sum(len(part.kinds) for part in parts):
        raise ValueError("no cell of background or object: nothing to learn from")
    tokens = torch.cat([part.tokens.float() for part in parts if len(part.kinds)])
    return Cells(tokens, torch.cat([part.kinds.long() for part in parts if len(part.kinds)]))
