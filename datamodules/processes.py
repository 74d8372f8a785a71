"""How many processes there are, as `torch.distributed` says."""

from __future__ import annotations

import sys


def processes() -> tuple[int, int]:
    """Return (rank, number of processes); (0, 1) where nothing is distributed."""
    if "torch" not in sys.modules:  # and is not loaded for this question
        return 0, 1
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1
