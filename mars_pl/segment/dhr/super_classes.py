"""Super-classes by unsupervised features: how like each cell is to each class's mean (DHR, train.py, step 2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.segment.dhr.transport import to_unit_range


def cell_classes(label: Tensor, grid: Sequence[int], num_classes: int) -> Tensor:
    """Give each cell of a grid over the image the class of most of its pixels.

    Args:
        label: int64 (H, W); codes from ``num_classes`` on belong to none, and may win too.
        grid: (h, w).
        num_classes: background counted.

    Returns:
        int64 (h, w); ``num_classes`` where none has a cell; of equal classes the lowest.
    """
    height, width = grid
    known = label.clamp(max=num_classes)
    there = known.unique()
    one_hot = (known == there[:, None, None]).float()
    return there[F.adaptive_avg_pool2d(one_hot[None], (height, width))[0].max(dim=0).indices]


def class_vectors(features: Tensor, cells: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the mean feature of each class at unit length.

    Args:
        features: (D, h, w).
        cells: (h, w), of ``cell_classes``.
        classes: each of which has a cell.

    Returns:
        (len(classes), D).
    """
    means = [features[:, cells == index].mean(dim=1) for index in classes]
    return F.normalize(torch.stack(means), dim=1)


def likeness_maps(features: Tensor, vectors: Tensor) -> Tensor:
    """Return the cosines of (D, h, w) features with (K, D) unit vectors, each class brought to [0, 1]: (K, h, w)."""
    return to_unit_range(torch.einsum("kd,dhw->khw", vectors, F.normalize(features, dim=0)))


def super_classes(vectors: Tensor, tau: float = 0.8) -> list[Tensor]:
    """Return which classes unsupervised features hardly tell apart: their means are alike by more than ``tau``.

    A class is compared with those after it, so that a chain of three gives two groups, as published.

    Args:
        vectors: (K, D), unit length.
        tau: DHR: .8.

    Returns:
        Indices of each group of two or more.
    """
    alike = (vectors @ vectors.T > tau).triu()
    return [members.nonzero().flatten() for members in alike if members.sum() > 1]
