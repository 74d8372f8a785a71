"""MXNet's `.params` files, read without MXNet, which current Pythons cannot install: Wide ResNet-38 is published so."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError

LIST = 0x112
"""First number of a file that holds a list of arrays."""

SPARSE_AWARE, WIDE_SHAPES = 0xF993FAC9, 0xF993FAC8
"""First number of an array with a storage type, or with 64-bit sides; the oldest layout has its number of sides."""

TYPES = {0: np.float32, 1: np.float64, 2: np.float16, 3: np.uint8, 4: np.int32, 5: np.int8, 6: np.int64}


class _Reader:
    """Numbers and bytes of a file, little-endian, one after the other."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0

    def take(self, count: int) -> bytes:
        if count > len(self.content) - self.place:
            raise ValueError("it ends in the middle of an array")
        self.place += count
        return self.content[self.place - count : self.place]

    def numbers(self, kind: str, count: int = 1) -> tuple[int, ...]:
        size = struct.calcsize(kind)
        return struct.unpack(f"<{count}{kind}", self.take(count * size))


def read_mxnet_params(path: Path) -> dict[str, NDArray[Any]]:
    """Return the dense arrays of a file by their names, e.g. ``arg:conv1a_weight``.

    Raises:
        DataError: where there is no such file, or it is damaged or no file of MXNet's.
    """
    try:
        reader = _Reader(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); name the downloaded file") from None
    try:
        magic, _, count = reader.numbers("Q", 3)
        if magic != LIST:
            raise ValueError("it does not begin as one")
        arrays = [_array(reader) for _ in range(count)]
        names = [reader.take(reader.numbers("Q")[0]).decode() for _ in range(reader.numbers("Q")[0])]
        return dict(zip(names, arrays, strict=True))
    except ValueError as error:
        raise DataError(f"{path}: no parameters of MXNet ({error}); fetch the file again") from None


def _array(reader: _Reader) -> NDArray[Any]:
    """Read one array: its shape, the device it was on, its type, its numbers."""
    (first,) = reader.numbers("I")
    if first == SPARSE_AWARE and reader.numbers("i") != (0,):
        raise ValueError("it holds sparse arrays")
    wide = first in (SPARSE_AWARE, WIDE_SHAPES)
    dimensions = reader.numbers("I")[0] if wide else first
    shape = reader.numbers("q" if wide else "I", dimensions)
    *_, kind = reader.numbers("i", 3)
    if kind not in TYPES or min(shape, default=0) < 0:
        raise ValueError(f"an array of type {kind} and shape {shape}")
    dtype = np.dtype(TYPES[kind]).newbyteorder("<")
    return np.frombuffer(reader.take(math.prod(shape) * dtype.itemsize), dtype).reshape(shape)
