"""What stands for numpy's names in a pickle: arrays and scalars are built only where their bytes are what they claim.

numpy believes any state that a pickle gives an array or a dtype: a list shorter than its array is read beyond its end,
and a dtype that calls objects numbers turns bytes of the file into addresses.
"""

from __future__ import annotations

import math
import pickle
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDEST_NUMBER = 16
"""Bytes; complex numbers of 64-bit parts have as many."""
LAST_CHARACTER = 0x10FFFF
"""Of Unicode; Python ends in a SystemError at a later one."""


class _Latin1:
    """Stands for `_codecs.encode`, by which old pickles write bytes; no other encoding, and nothing to set on it."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding not in ("latin1", "latin-1"):
            raise pickle.UnpicklingError(f"encoding {encoding}")
        return text.encode("latin1")


class _EmptyArray:
    """Stands for `_reconstruct`, whatever its arguments: an array that is still to get its state."""

    __slots__ = ()

    def __call__(self, *_: object) -> NDArray[Any]:
        return np.empty(0, dtype=np.int8)


class _SimpleType:
    """Stands for `numpy.dtype`: numbers, strings and objects by their codes, no records and no views of other types."""

    __slots__ = ()

    def __call__(self, code: object, *_: object) -> np.dtype[Any]:
        if not isinstance(code, str) or not re.fullmatch(r"[<>|=]?[?biufcSUO]\d{0,9}", code):
            raise pickle.UnpicklingError(f"numbers of type {code!r}")
        made = np.dtype(code, copy=True)  # the state that follows must not change the process's own
        if made.kind not in "SU" and made.itemsize > WIDEST_NUMBER:
            raise pickle.UnpicklingError(f"numbers of type {code!r}")
        return made


class _FromBuffer:
    """Stands for the function by which protocol 5 writes arrays; of an array it would show its objects' addresses."""

    __slots__ = ()

    def __call__(self, buffer: object, dtype: object, shape: object, order: object = "C") -> NDArray[Any]:
        if order not in ("C", "F"):
            raise pickle.UnpicklingError(f"an array of order {order!r}")
        content = checked_bytes(buffer, dtype, shape)
        return np.frombuffer(content, dtype).reshape(shape, order=order)  # type: ignore[call-overload]


class _Scalar:
    """Stands for numpy's `scalar`; without bytes it would reserve the width that its type claims."""

    __slots__ = ()

    def __call__(self, dtype: object, content: object) -> Any:
        return np.frombuffer(checked_bytes(content, dtype, ()), dtype)[0]  # type: ignore[call-overload]


class _Name:
    """Stands for `numpy.ndarray`, which `_reconstruct` gets: called itself, it would show memory as objects."""

    __slots__ = ()


def numpy_names() -> dict[tuple[str, str], Any]:
    """Return (module, name) → what stands for it, before and since numpy 2."""
    names: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): _Name(),
        ("numpy", "dtype"): _SimpleType(),
        ("_codecs", "encode"): _Latin1(),
    }
    for package in ("numpy.core", "numpy._core"):
        names[f"{package}.multiarray", "_reconstruct"] = _EmptyArray()
        names[f"{package}.multiarray", "scalar"] = _Scalar()
        names[f"{package}.numeric", "_frombuffer"] = _FromBuffer()
    return names


def checked_bytes(content: object, dtype: object, shape: object) -> bytes:
    """Return the bytes of an array; raises UnpicklingError where they are not as many as its type and shape say."""
    if isinstance(content, str):  # bytes of Python 2
        content = content.encode("latin1")
    if not isinstance(content, bytes | bytearray) or not isinstance(dtype, np.dtype) or dtype.hasobject:
        kind = "an OBJECT array" if isinstance(dtype, np.dtype) and dtype.hasobject else "an array"
        raise pickle.UnpicklingError(f"{kind} from memory of other kinds")
    if not dtype.itemsize or len(content) != _count(shape) * dtype.itemsize:
        raise pickle.UnpicklingError(f"an array of {dtype} and shape {_told(shape)} from {len(content):,} bytes")
    if dtype.kind == "U" and len(content):
        characters = np.frombuffer(content, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
        if characters.max() > LAST_CHARACTER:
            raise pickle.UnpicklingError("text of characters that there are not")
    return bytes(content)


def set_array_state(made: NDArray[Any], state: object) -> None:
    """Give an array its state; raises UnpicklingError where its list or its bytes are not what its shape says."""
    if made.shape != (0,) or not made.flags.owndata:
        raise pickle.UnpicklingError("it changes a ndarray that is already made")
    if not isinstance(state, tuple) or len(state) != 5:
        raise pickle.UnpicklingError("a forged array")
    _, shape, dtype, fortran, content = state
    if isinstance(dtype, np.dtype) and dtype.hasobject:
        if not isinstance(content, list) or len(content) != _count(shape):
            items = f"{len(content):,} items" if isinstance(content, list) else "no list"
            raise pickle.UnpicklingError(f"an array of objects and shape {_told(shape)} from {items}")
    else:
        content = checked_bytes(content, dtype, shape)
    made.__setstate__((1, shape, dtype, bool(fortran), content))  # type: ignore[arg-type]


def check_dtype_state(made: np.dtype[Any], state: object) -> None:
    """Raise UnpicklingError where the state of a dtype says more than the order of its bytes."""
    own = made.__reduce__()[2]
    if not isinstance(state, tuple) or len(state) != len(own) or (state[0], state[2:]) != (own[0], own[2:]):
        raise pickle.UnpicklingError(f"a forged dtype {made}")
    if state[1] not in (("|",) if own[1] == "|" else ("<", ">")):
        raise pickle.UnpicklingError(f"a forged dtype {made}")


def _count(shape: object) -> int:
    if not isinstance(shape, tuple) or any(type(side) is not int or side < 0 for side in shape):
        raise pickle.UnpicklingError("an array whose shape is not of whole numbers")
    return math.prod(shape)


def _told(shape: object) -> str:
    return repr(shape)[:100]
