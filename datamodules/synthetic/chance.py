"""Chance for Scenes: SplitMix64 in whole numbers, the same draws on every machine and with every numpy.

Source: SplitMix64 as in Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int32]
Colour = tuple[int, int, int]
Item = TypeVar("Item")

GOLDEN = 0x9E3779B97F4A7C15
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
WORD = (1 << 64) - 1


def mix(value: int) -> int:
    """Scatter the 64 bits of a whole number (SplitMix64's finaliser)."""
    value &= WORD
    value = ((value ^ (value >> 30)) * FIRST) & WORD
    value = ((value ^ (value >> 27)) * SECOND) & WORD
    return value ^ (value >> 31)


class Chance:
    """A stream of draws that is fixed by its key, e.g. ``Chance(seed, index)``."""

    def __init__(self, *key: int) -> None:
        self.state = GOLDEN
        for part in key:
            self.state = mix(self.state + mix(part + GOLDEN))

    def word(self) -> int:
        """Draw 64 bits."""
        self.state = (self.state + GOLDEN) & WORD
        return mix(self.state)

    def between(self, low: int, high: int) -> int:
        """Draw a whole number from ``low`` to ``high``, both included."""
        return low + (self.word() * (high - low + 1) >> 64)

    def percent(self, share: int) -> bool:
        """Draw yes in ``share`` of 100 cases."""
        return self.between(0, 99) < share

    def choose(self, items: Sequence[Item]) -> Item:
        """Draw one item."""
        return items[self.between(0, len(items) - 1)]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Draw an order (Fisher and Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.between(0, last)
            order[last], order[other] = order[other], order[last]
        return order

    def tint(self, colour: Colour, spread: int) -> Colour:
        """Move each channel of a colour by at most ``spread``."""
        red, green, blue = (channel + self.between(-spread, spread) for channel in colour)
        return red, green, blue

    def bytes(self, height: int, width: int) -> Integers:
        """Draw an array of shape (height, width) with values 0…255."""
        value = np.arange(1, height * width + 1, dtype=np.uint64) * np.uint64(GOLDEN) + np.uint64(self.word())
        value = (value ^ (value >> np.uint64(30))) * np.uint64(FIRST)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(SECOND)
        return (value >> np.uint64(56)).astype(np.int32).reshape(height, width)

    def clouds(self, height: int, width: int, cell_height: int, cell_width: int) -> Integers:
        """Draw smooth noise of shape (height, width), values 0…255: draws on a lattice, interpolated."""
        lattice = self.bytes(height // cell_height + 2, width // cell_width + 2)
        return _stretch(_stretch(lattice, height, cell_height).T, width, cell_width).T

    def skyline(self, width: int, cell: int, low: int, high: int) -> Integers:
        """Draw a smooth line: ``width`` values from ``low`` to ``high``, a new hill every ``cell``."""
        return low + self.clouds(1, width, 1, cell)[0] * (high - low) // 255


def _stretch(lattice: Integers, length: int, cell: int) -> Integers:
    """Interpolate the rows of a lattice to ``length`` rows, ``cell`` rows from one lattice row to the next."""
    place = np.arange(length, dtype=np.int64)
    row, step = place // cell, place % cell
    weight = (step * step * (3 * cell - 2 * step) * 256 // cell**3).astype(np.int32)[:, None]  # smooth step, in 256ths
    return (lattice[row] * (256 - weight) + lattice[row + 1] * weight) >> 8
