"""Caffe's `.caffemodel` files, read without Caffe or its protocol buffers: DeepLabv2's ImageNet weights come so.

The numbers of the fields are those of BVLC/caffe, src/caffe/proto/caffe.proto: `NetParameter`, `LayerParameter`,
`V1LayerParameter`, `BlobProto`, `BlobShape`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5
LAYERS = {100: (1, 7), 2: (4, 6)}
"""Field of a net's layers, and in a layer the fields of its name and its blobs; the second pair is Caffe's of 2014."""

SHAPE, DATA, DOUBLE_DATA = 7, 5, 8
SIDES = (1, 2, 3, 4)
"""A blob's number, channels, height and width, which it had before shapes."""


def read_caffemodel(path: Path) -> dict[str, list[NDArray[np.float32]]]:
    """Return the blobs of each layer that has any, by the layer's name, in their order.

    Raises:
        DataError: where there is no such file, or it is damaged or no file of Caffe's.
    """
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); name the downloaded file") from None
    try:
        layers = [_layer(value, *LAYERS[field]) for field, value in _fields(content) if field in LAYERS]
    except (ValueError, IndexError, TypeError, OverflowError, KeyError) as error:
        raise DataError(f"{path}: no weights of Caffe's ({error}); fetch the file again") from None
    found = {name: blobs for name, blobs in layers if blobs}
    if not found:
        raise DataError(f"{path}: no weights of Caffe's (no layer has any); fetch the file again")
    return found


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field: an int, or the bytes of a string, a message or packed numbers."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        if kind == BYTES:
            size, place = _varint(message, place)
        else:
            size = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(kind, -1)
        if size < 0 or place + size > len(message):
            raise ValueError("it ends in the middle of a layer, or is of another kind")
        yield key >> 3, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Read an integer in groups of seven bits, the lowest first; return it and the place after it."""
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, place
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _layer(message: memoryview, name_field: int, blobs_field: int) -> tuple[str, list[NDArray[np.float32]]]:
    name, blobs = "", []
    for field, value in _fields(message):
        if field == name_field:
            name = str(value, "utf-8")
        elif field == blobs_field:
            blobs.append(_blob(value))
    return name, blobs


def _blob(message: memoryview) -> NDArray[np.float32]:
    """Read an array; its numbers may be packed or one by one."""
    shape: list[int] | None = None
    sides: dict[int, int] = {}
    parts: list[NDArray[Any]] = []
    for field, value in _fields(message):
        if field == SHAPE:
            shape = _shape(value)
        elif field in SIDES:
            sides[field] = value
        elif field in (DATA, DOUBLE_DATA):
            parts.append(np.frombuffer(value, "<f4" if field == DATA else "<f8"))
    numbers = np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
    if shape is None:
        shape = [sides[field] for field in SIDES if field in sides] or [len(numbers)]
    return numbers.reshape(shape)


def _shape(message: memoryview) -> list[int]:
    sides: list[int] = []
    for _, value in _fields(message):
        if isinstance(value, int):
            sides.append(value)
            continue
        place = 0
        while place < len(value):
            side, place = _varint(value, place)
            sides.append(side)
    return sides
