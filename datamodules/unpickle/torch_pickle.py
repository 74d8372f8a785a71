"""Read pickles that hold torch tensors beside plain data: the `.npy` files of IRN, AdvCAM, W-OoD and CLIMS.

A tensor in a plain pickle is a call of `torch._utils._rebuild_tensor_v2` on a storage, and the storage a call of
`torch.storage._load_from_bytes` on the bytes that `torch.save` made of it. Both have stand-ins here, which make numpy
arrays, so that no object of torch is left for the rest of the pickle to work on, and torch itself does not start.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.unpickle.restricted_pickle import Names, read_pickle, read_pickled_npy
from datamodules.unpickle.torch_names import fits
from datamodules.unpickle.torch_storages import StorageId, as_numbers, read_legacy

NUMPY_MAGIC = b"\x93NUMPY"


class _Storage:
    """Stands for `torch.storage._load_from_bytes`: the storage's numbers as a flat array; bfloat16 becomes float32."""

    __slots__ = ()

    def __call__(self, content: object) -> NDArray[Any]:
        if not isinstance(content, bytes):
            raise pickle.UnpicklingError("a torch storage without bytes")
        try:
            found = read_legacy(content)
        except Exception as error:
            raise pickle.UnpicklingError(f"its torch bytes are damaged: {error}") from None
        if not isinstance(found.content, StorageId):
            raise pickle.UnpicklingError("its torch bytes hold no storage")
        return as_numbers(found.content, found.storages[found.content.key])


class _Tensor:
    """Stands for `torch._utils._rebuild_tensor_v2`: a copy of the part of the storage that a tensor shows."""

    __slots__ = ()

    def __call__(self, storage: object, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Any:
        if not isinstance(storage, np.ndarray) or storage.ndim != 1 or storage.dtype.hasobject:
            raise pickle.UnpicklingError("a torch tensor without a storage")
        if not fits(len(storage), offset, size, stride):
            raise pickle.UnpicklingError(f"a torch tensor of size {str(size)[:100]} that its storage does not hold")
        storage = np.ascontiguousarray(storage)[offset:]
        strides = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage, size, strides, writeable=False).copy()


class _Hooks:
    """Stands for the `OrderedDict` of a tensor's hooks, empty."""

    __slots__ = ()

    def __call__(self, *_: object) -> dict[Any, Any]:
        return {}


TORCH_NAMES: Names = {
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor(),
    ("torch.storage", "_load_from_bytes"): _Storage(),
    ("collections", "OrderedDict"): _Hooks(),
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
