"""How much a file may make of itself: what is read stays within what was stored, however often it refers to it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

DEEPEST = 64
"""Lists and tables within one another; numpy's arrays have no more sides."""

ALWAYS = 2**24
"""Items, or bytes of arrays, that any file may make; a larger file may make its own size."""

LARGEST_INTEGER = 2**64


def check_plain(content: Any, stored: int = 0) -> None:
    """Check that plain data can be walked: nothing holds itself, is too deep, or shows far more than was stored.

    A list that holds one list ten times, which holds another ten times, is small in the file and endless to walk.

    Args:
        content: dicts, lists, tuples, sets, arrays, strings, numbers; anything else counts as one item.
        stored: bytes of the file that it came from.

    Raises:
        ValueError: where it does not stay within the bounds.
    """
    most = max(ALWAYS, stored)
    shown: dict[int, tuple[int, int]] = {}  # container by identity → (items that it shows, depth); none while walked
    walking: set[int] = set()
    waiting = [content]
    while waiting:
        value = waiting[-1]
        inner = _inner(value)
        if inner is None or id(value) in shown:
            waiting.pop()
            _leaf(value)
            continue
        if id(value) in walking:  # all that it holds is known
            waiting.pop()
            sizes = [shown.get(id(item)) or (_leaf(item), 0) for item in inner]
            items, deep = 1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
            if items > most:
                raise ValueError(f"it shows more than {most:,} items, by referring to the same ones again")
            if deep > DEEPEST:
                raise ValueError(f"it is nested more than {DEEPEST} deep")
            shown[id(value)] = (items, deep)
            continue
        walking.add(id(value))
        for item in inner:
            if _inner(item) is not None and id(item) not in shown:
                if id(item) in walking:
                    raise ValueError("it holds itself")
                waiting.append(item)


def _inner(value: Any) -> Collection[Any] | None:
    """Return what a container holds, keys left out: those are no containers; None of anything else."""
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return value.reshape(-1).tolist()
    return None


def _leaf(value: Any) -> int:
    """Return how many items a value shows that holds no others."""
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise ValueError("it holds a whole number of more than 64 bits")
    if isinstance(value, str | bytes | bytearray):
        return 1 + len(value)
    if isinstance(value, np.ndarray):
        return 1 + (value.nbytes if value.dtype.kind in "SU" else value.size)
    return 1
