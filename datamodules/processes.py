"""How many processes there are, as `torch.distributed` says, and how many cores they may use."""

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


def cores() -> int:
    """Return the cores that this process may use: a container's or a batch system's share, not the whole machine's."""
    import joblib  # a fifth of a second, which `--help` need not wait for

    return int(joblib.cpu_count())
