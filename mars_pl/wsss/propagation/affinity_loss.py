"""PSA's and IRNet's loss: pairs of like label attract, pairs of unlike label repel, unsure ones do neither."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.training.over_processes import mean_count
from mars_pl.wsss.propagation.confident_label import UNSURE

EPSILON = 1e-5
"""The published guard of logarithms and empty sets."""


class Pairs(NamedTuple):
    """Which pairs of cells count, bool (B, O, h, w) each; pairs with an unsure cell are in none.

    Attributes:
        background: both are background.
        foreground: both are of the same class.
        negative: their labels differ.
    """

    background: Tensor
    foreground: Tensor
    negative: Tensor


def pair_labels(labels: Tensor, offsets: Tensor, unsure: int = UNSURE) -> Pairs:
    """Sort the pairs of cells by their labels.

    Args:
        labels: int64 (B, h, w) of 0, classes and ``unsure``.
        offsets: int64 (O, 2), down and right, none upwards.
        unsure: code of cells that are in no pair.
    """
    height, width = labels.shape[-2:]
    reach = int(offsets.abs().max())
    around = F.pad(labels, (reach, reach, 0, reach), value=unsure)  # a pair that leaves the grid counts nowhere
    # (B, O, h, w): at each cell, the label of the cell that lies the offset away.
    there = torch.stack(
        [around[:, down : down + height, reach + right : reach + right + width] for down, right in offsets.tolist()],
        dim=1,
    )
    here = labels[:, None].expand_as(there)
    confident = (here != unsure) & (there != unsure)
    alike = confident & (here == there)
    return Pairs(background=alike & (here == 0), foreground=alike & (here != 0), negative=confident & (here != there))


def affinity_loss(affinity: Tensor, pairs: Pairs) -> Tensor:
    """Return background / 4 + foreground / 4 + negative / 2, each a mean of −log over its pairs.

    PSA's train_aff.py and IRNet's step/train_irn.py have the same sum, the latter by twice the half.

    Args:
        affinity: (B, O, h, w) in [0, 1].
        pairs: which of them count; a kind without any pair adds nothing. Under DDP means are over all processes' pairs.
    """
    attract, repel = -(affinity + EPSILON).log(), -(1 + EPSILON - affinity).log()

    def mean(values: Tensor, chosen: Tensor) -> Tensor:
        return torch.where(chosen, values, 0).sum() / (mean_count(chosen.sum().to(values.dtype)) + EPSILON)

    return mean(attract, pairs.background) / 4 + mean(attract, pairs.foreground) / 4 + mean(repel, pairs.negative) / 2
