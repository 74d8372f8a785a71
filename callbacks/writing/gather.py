"""What each process holds, brought together."""

from __future__ import annotations

from typing import TypeVar

import torch.distributed as distributed

T = TypeVar("T")


def gather_objects(value: T) -> list[T]:
    """Return the value of every process, in the order of ranks; a list of one where there is one process."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return [value]
    values: list[T | None] = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values  # type: ignore[return-value]
