"""`.npy` arrays read by their heads first, so that a few bytes cannot claim gigabytes."""

from __future__ import annotations

import math
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class NpyHead(NamedTuple):
    """What a `.npy` file says of its array.

    Attributes:
        shape: of the array.
        fortran: its first side runs fastest.
        dtype: of the array.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """How many bytes follow the head."""
        return math.prod(self.shape) * self.dtype.itemsize


def npy_head(file: IO[bytes]) -> NpyHead:
    """Read the head of a `.npy` file; raises ValueError where it is none."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        head = NpyHead(*read(file))
    except Exception as error:  # Python's tokens, its parser and its memory, besides numpy's own
        raise ValueError(f"a damaged head of an array: {type(error).__name__}") from None
    if any(type(side) is not int or side < 0 for side in head.shape) or not head.dtype.itemsize:
        raise ValueError(f"an array of {head.dtype} and shape {head.shape}")
    return head


def read_npy(file: IO[bytes], head: NpyHead, left: int) -> NDArray[Any]:
    """Read the array behind a head.

    Args:
        file: at the array's first byte.
        head: of the array, which holds no objects.
        left: bytes that are there.

    Raises:
        ValueError: where there are fewer or more than the head says.
    """
    if head.dtype.hasobject:
        raise ValueError("an array of objects, which is a pickle")
    if head.nbytes != left:
        raise ValueError(f"an array of {head.dtype} and shape {head.shape} from {left:,} bytes")
    content = file.read(left)
    if len(content) != left or file.read(1):
        raise ValueError("it ends in the middle of an array")
    flat = np.frombuffer(bytearray(content), head.dtype)
    return flat.reshape(head.shape, order="F" if head.fortran else "C")
