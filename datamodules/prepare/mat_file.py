"""MATLAB's files of level 5, as far as SBD's masks need them: a matrix of whole numbers in a struct.

scipy's reader takes a file's word for what is in it, and ends with the process at some that are damaged. The layout is
that of "MAT-File Format" (The MathWorks), chapter 1: elements of a type, a number of bytes and so many bytes.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

HEADER = 128
MATRIX, COMPRESSED = 14, 15
STRUCT = 2
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Type of an element → of its numbers."""

LARGEST = 64 * 2**20
"""Bytes of a variable when it is unpacked; SBD's have less than a million."""


class _Element(NamedTuple):
    """One element: its type and its bytes."""

    kind: int
    content: bytes


def read_struct_field(content: bytes, variable: str, field: str) -> NDArray[Any]:
    """Return the matrix that a field of a struct of one entry holds.

    Args:
        content: of the file.
        variable: name of the struct.
        field: name of the matrix in it.

    Raises:
        ValueError: where the file is damaged, of another level, or holds no such matrix.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:HEADER])
    if order is None:
        raise ValueError("no MATLAB file of level 5")
    for element in _elements(content[HEADER:], order):
        if element.kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            unpacked = unpacker.decompress(element.content, LARGEST)
            if unpacker.unconsumed_tail:
                raise ValueError(f"a variable of more than {LARGEST:,} bytes")
            element = next(_elements(unpacked, order), element)
        if element.kind == MATRIX and (found := _field(element.content, order, variable, field)) is not None:
            return found
    raise ValueError(f"no {variable}.{field} in it")


def _elements(content: bytes, order: str) -> Iterator[_Element]:
    place = 0
    while place + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}II", content, place)
        if kind >> 16:  # four bytes at most, beside their number and their type
            kind, size, start, place = kind & 0xFFFF, kind >> 16, place + 4, place + 8
        else:
            start = place + 8
            place = start + (size if kind == COMPRESSED else -(-size // 8) * 8)
        if start + size > len(content):
            raise ValueError("it ends in the middle of a variable")
        yield _Element(kind, content[start : start + size])


def _field(content: bytes, order: str, variable: str, field: str) -> NDArray[Any] | None:
    """Return a field of a struct; None of another variable."""
    parts = _elements(content, order)
    flags, shape, name = (next(parts, _Element(0, b"")).content for _ in range(3))
    if name.decode("latin1") != variable or not flags or _numbers(_Element(6, flags), order)[0] & 0xFF != STRUCT:
        return None
    if math.prod(_numbers(_Element(5, shape), order).tolist()) != 1:
        raise ValueError(f"{variable} has several entries")
    width = int(_numbers(next(parts, _Element(0, b"")), order)[0])
    names = next(parts, _Element(0, b"")).content
    if width < 1:
        raise ValueError(f"{variable} has no fields")
    fields = [names[start : start + width].split(b"\0")[0].decode("latin1") for start in range(0, len(names), width)]
    for found, element in zip(fields, parts, strict=False):
        if found == field and element.kind == MATRIX:
            return _matrix(element.content, order)
    return None


def _matrix(content: bytes, order: str) -> NDArray[Any]:
    parts = _elements(content, order)
    next(parts, None)
    shape = _numbers(_Element(5, next(parts, _Element(0, b"")).content), order).tolist()
    next(parts, None)
    numbers = _numbers(next(parts, _Element(0, b"")), order)
    if len(shape) != 2 or min(shape) < 0 or math.prod(shape) != len(numbers):
        raise ValueError(f"a matrix of shape {shape} from {len(numbers):,} numbers")
    return numbers.reshape(shape, order="F")


def _numbers(element: _Element, order: str) -> NDArray[Any]:
    if element.kind not in TYPES or not element.content:
        raise ValueError("numbers of a type that is not known")
    return np.frombuffer(element.content, np.dtype(TYPES[element.kind]).newbyteorder(order))  # type: ignore[arg-type]
