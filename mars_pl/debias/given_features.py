"""Dense features from whatever function or network another code base has."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from mars_pl.debias.given_image import Array, GivenImage, as_tensor

Features: TypeAlias = Callable[[Any], Array] | nn.Module
"""A function from the image as it was given to (D, h, w); or a network, uint8 (1, 3, H, W) to (1, D, h, w)."""


@torch.no_grad()
def dense_features(features: Features, item: GivenImage) -> Tensor:
    """Return (D, h, w) floats that cover the whole image, where the features are.

    Raises:
        ValueError: in one line, where they are none, or the network is in training mode.
    """
    if isinstance(features, nn.Module):
        if features.training:
            raise ValueError("features: a network in training mode, in which batch norm and dropout act; call .eval()")
        first = next(chain(features.parameters(), features.buffers()), None)
        batch = item.image[None] if first is None else item.image[None].to(first.device)
        found = as_tensor(f"{item.id}: features", features(batch))
        found = found[0] if found.ndim == 4 and len(found) == 1 else found
    else:
        found = as_tensor(f"{item.id}: features", features(item.given[0]))
    if found.ndim != 3 or not found.is_floating_point():
        raise ValueError(f"{item.id}: want floating features (D, h, w), got {tuple(found.shape)} of {found.dtype}")
    if not bool(found.isfinite().all()):
        raise ValueError(f"{item.id}: features that are not finite")
    return found
