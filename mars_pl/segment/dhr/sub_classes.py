"""Sub-classes by the network's own features, inside each super-class (DHR, train.py, step 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.segment.dhr.super_classes import class_vectors, likeness_maps
from mars_pl.segment.dhr.transport import to_unit_range


def network_maps(layers: Sequence[Tensor], cells: Tensor, classes: Sequence[int]) -> Tensor:
    """Return how like each cell is to each class's mean in the network's features, (K, h, w) in [0, 1].

    Args:
        layers: (D, h', w') features each, of any size; DHR: the last two stages of its ResNet.
        cells: (h, w), of ``cell_classes``.
        classes: each of which has a cell.
    """
    maps = []
    for layer in layers:
        features = F.interpolate(layer[None], tuple(cells.shape), mode="bilinear", align_corners=True)[0]
        maps.append(likeness_maps(features, class_vectors(features, cells, classes)))
    return to_unit_range(torch.stack(maps).mean(dim=0))


def part_sub_classes(
    maps: Tensor,
    groups: Sequence[Tensor],
    finer: Tensor,
    shares: Callable[[Tensor, Tensor | None], Tensor],
    mass: Tensor | None = None,
) -> Tensor:
    """Multiply the maps of each super-class by how transport shares its cells among its classes.

    Args:
        maps: (K, h, w), of the unsupervised features.
        groups: indices of the classes of each super-class.
        finer: (K, h, w), of the network's features.
        shares: from maps and masses to the shares of their classes, ``class_shares``.
        mass: (K,), of the classes; ``None`` is the same for all.
    """
    parted = maps.clone()
    for members in groups:
        parted[members] *= shares(finer[members], None if mass is None else mass[members])
    return parted
