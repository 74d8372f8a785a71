"""Layers whose outputs are compared: autocast must not round what an equality or a threshold decides."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def in_own_precision(layer: nn.Module, features: Tensor) -> Tensor:
    """Run a layer in the precision of its weights, float32 in mixed precision, whatever autocast surrounds it.

    In half precision two classes of a cell are often rounded to one value, and which of them is the largest is lost.

    Args:
        layer: from features to one tensor.
        features: (B, D, h, w) in any precision.
    """
    with torch.autocast(features.device.type, enabled=False):
        mapped: Tensor = layer(features.to(next(layer.parameters()).dtype))
    return mapped
