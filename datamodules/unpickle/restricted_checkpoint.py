"""Read published PyTorch checkpoints without running what their pickles may carry.

Lightning 1.x keeps the training's configuration beside the weights, as objects of omegaconf and of its own, so torch's
weights-only reader refuses the whole file. Here every name but those that tensors are made of becomes an inert thing.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, Self

import torch
from torch import Tensor

from datamodules.errors import DataError


class Inert:
    """Stands for whatever a pickle asks for: takes any arguments, state and items, keeps none and does nothing."""

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Make one, whatever the arguments."""
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **options: Any) -> None: ...

    def __call__(self, *arguments: Any, **options: Any) -> Inert:
        """Give another inert thing, where the pickle calls what it was given."""
        return Inert()

    def __setstate__(self, state: object) -> None: ...

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, item: object) -> None:
        """Take an item of a list."""

    def extend(self, items: object) -> None:
        """Take items of a list."""

    def add(self, item: object) -> None:
        """Take an item of a set."""


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *rest: Any) -> Tensor:
    """Stand for `torch._utils._rebuild_tensor_v2`; torch refuses a view beyond the storage."""
    return storage.as_strided(size, stride, offset).clone()


def _parameter(data: Tensor, *rest: Any) -> Tensor:
    """Stand for `torch._utils._rebuild_parameter`."""
    return data


STORAGES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
}  # fmt: skip
KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    **{("torch", name): dtype for name, dtype in STORAGES.items()},
}


class CheckpointUnpickler(pickle.Unpickler):
    """Builds plain data and tensors; all else becomes `Inert`.

    Args:
        file: the pickle of a checkpoint of torch 1.6 or newer.
        archive: the zip file around it, which holds the numbers.
        folder: in the archive, with a slash at its end.
    """

    def __init__(self, file: IO[bytes], archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self._archive, self._folder = archive, folder
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what tensors are made of, and `Inert` for any other name; nothing is imported."""
        return KNOWN.get((module, name), Inert)

    def persistent_load(self, pid: Any) -> Tensor:
        """Read a storage: its bytes as numbers, a view of one dimension."""
        kind, dtype, key, *_ = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError("it refers to objects that are no storages")
        if key not in self._storages:
            content = bytearray(self._archive.read(f"{self._folder}data/{key}"))
            self._storages[key] = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
        return self._storages[key]


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a file of `torch.save`: a dict with its tensors, on the CPU; foreign objects in it are `Inert`.

    Files of before torch 1.6, which are no zip files, go through torch's own weights-only reader.

    Raises:
        DataError: where the file is missing, damaged, or no dict.
    """
    try:
        content = _read_archive(path) if zipfile.is_zipfile(path) else torch.load(path, "cpu", weights_only=True)
    except FileNotFoundError:
        raise DataError(f"{path}: no such checkpoint; name the downloaded file") from None
    except Exception as error:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise DataError(f"{path}: no checkpoint of torch that can be read ({reason}); download it again") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: holds no dict of weights; name a checkpoint")
    return content


def _read_archive(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        name = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if name is None:
            raise pickle.UnpicklingError("the archive holds no data.pkl")
        with archive.open(name) as file:
            return CheckpointUnpickler(file, archive, name.removesuffix("data.pkl")).load()
