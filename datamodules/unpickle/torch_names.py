"""What a tensor in a file claims of its storage, checked before it is made."""

from __future__ import annotations

import math
from typing import Any

STORAGE_TYPES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool",
}  # fmt: skip
"""torch's name of a storage in a file → the type of its numbers, as torch and numpy call it."""

WIDTHS = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "int16": 2}
"""Type → bytes of a number; of others one."""


def fits(length: int, offset: Any, size: Any, stride: Any) -> bool:
    """Whether a tensor's last number lies within its storage, and no more numbers are asked for than that has.

    Args:
        length: of the storage, in numbers.
        offset: of the tensor's first number.
        size: of the tensor.
        stride: of each side; 0 shows one number again and again.
    """
    if not isinstance(size, tuple) or not isinstance(stride, tuple) or len(size) != len(stride):
        return False
    numbers = (offset, *size, *stride)
    if any(type(number) is not int or not 0 <= number < 2**62 for number in numbers):
        return False  # numpy's integers, which a pickle can hold too, would overflow below
    last = offset + sum((count - 1) * step for count, step in zip(size, stride, strict=True))
    return 0 in size or (last < length and math.prod(size) <= length)
