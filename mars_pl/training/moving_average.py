"""The moving average of a network's states, in place: the step that every teacher takes (MARS §3.4; Leopart)."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def ema_update(teacher: nn.Module, student: nn.Module, decay: float) -> None:
    """Set each float of ``teacher`` to decay · teacher + (1 − decay) · student in place; counters are copied."""
    theirs = [*teacher.parameters(), *teacher.buffers()]
    ours = [*student.parameters(), *student.buffers()]
    floats = [pair for pair in zip(theirs, ours, strict=True) if pair[0].is_floating_point()]
    torch._foreach_lerp_([old for old, _ in floats], [new for _, new in floats], 1 - decay)
    for old, new in zip(theirs, ours, strict=True):
        if not old.is_floating_point():
            old.copy_(new)
