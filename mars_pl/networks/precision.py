"""The precision in which sums, exponentials and lengths are computed, whatever the trainer runs the networks in."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_single(values: Tensor) -> Tensor:
    """Return ``values`` in float32 where they come in half precision; float32 and float64 stay."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
