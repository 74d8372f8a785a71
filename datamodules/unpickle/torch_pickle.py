"""Read pickles that hold torch tensors beside plain data: the `.npy` files of IRN, AdvCAM, W-OoD and CLIMS.

A tensor in a plain pickle is a call of `torch._utils._rebuild_tensor_v2` on a storage, and the storage a call of
`torch.storage._load_from_bytes` on the bytes that `torch.save` made of it. Both have stand-ins here: the bytes go
through `torch.load(weights_only=True)`, and what comes out is a numpy array, so that no object of torch is left for the
rest of the pickle to work on. torch is imported when a file holds such bytes, not before.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.unpickle.restricted_pickle import Names, read_pickle, read_pickled_npy

NUMPY_MAGIC = b"\x93NUMPY"


class _Storage:
    """Stands for `torch.storage._load_from_bytes`: the storage's numbers as a flat array; bfloat16 becomes float32."""

    __slots__ = ()

    def __call__(self, content: object) -> NDArray[Any]:
        if not isinstance(content, bytes):
            raise pickle.UnpicklingError("a torch storage without bytes")
        import torch

        try:
            storage = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:  # torch's own text advises to trust the file
            asked = re.search(r"GLOBAL (\S+)", str(error))
            raise pickle.UnpicklingError(
                f"its torch bytes ask for {asked[1]}" if asked else "its torch bytes are damaged"
            ) from None
        if not isinstance(storage, torch.storage.TypedStorage):
            raise pickle.UnpicklingError("its torch bytes hold no storage")
        flat = torch.empty(0, dtype=storage.dtype).set_(storage)
        return (flat.float() if flat.dtype == torch.bfloat16 else flat).numpy()


class _Tensor:
    """Stands for `torch._utils._rebuild_tensor_v2`: a copy of the part of the storage that a tensor shows."""

    __slots__ = ()

    def __call__(self, storage: object, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Any:
        if not isinstance(storage, np.ndarray) or storage.ndim != 1 or storage.dtype.hasobject:
            raise pickle.UnpicklingError("a torch tensor without a storage")
        if not _fits(len(storage), offset, size, stride):
            raise pickle.UnpicklingError(f"a torch tensor of size {tuple(size)} that its storage does not hold")
        storage = np.ascontiguousarray(storage)[offset:]
        strides = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage, size, strides, writeable=False).copy()


def _fits(length: int, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    """Whether a tensor's last number lies within its storage, and no more numbers are asked for than that has."""
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or any(type(number) is not int or number < 0 for number in numbers):
        return False  # numpy's integers, which a pickle can hold too, would overflow below
    last = offset + sum((count - 1) * step for count, step in zip(size, stride, strict=True))
    return 0 in size or (last < length and math.prod(size) <= length)


TORCH_NAMES: Names = {
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor(),
    ("torch.storage", "_load_from_bytes"): _Storage(),
    ("collections", "OrderedDict"): dict,  # of a tensor's hooks, empty
}
"""What `read_pickled_npy` allows beside numpy's names to read tensors as numpy arrays."""


def read_arrays(path: Path) -> Any:
    """Read a pickle, bare or in a `.npy` file, whose torch tensors become numpy arrays.

    Raises:
        DataError: where the file is missing, damaged, or asks for anything but arrays, tensors and plain data.
    """
    is_npy = path.is_file() and _begins_with(path, NUMPY_MAGIC)
    return read_pickled_npy(path, TORCH_NAMES) if is_npy else read_pickle(path, TORCH_NAMES)


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic
