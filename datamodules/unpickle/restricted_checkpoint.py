"""Read published PyTorch checkpoints without running what their pickles may carry.

Lightning 1.x keeps the training's configuration beside the weights, as objects of omegaconf and of its own, so torch's
weights-only reader refuses the whole file. Here every name but those that tensors are made of becomes an inert thing.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datamodules.errors import DataError
from datamodules.unpickle.bounds import check_plain
from datamodules.unpickle.inert_unpickler import InertUnpickler
from datamodules.unpickle.stored_archive import check_stored
from datamodules.unpickle.torch_names import fits
from datamodules.unpickle.torch_storages import StorageId, read_legacy, storage_id


class CheckpointUnpickler(InertUnpickler):
    """Builds plain data and tensors; all else becomes `Inert`.

    Args:
        content: of the file that holds the pickle.
        place: where in it the pickle begins.
        read: key of a storage → its bytes.
        stored: bytes of the whole file, which its tensors may not exceed many times.
    """

    def __init__(self, content: bytes, place: int, read: Callable[[str], bytes], stored: int) -> None:
        super().__init__(content, place)
        self._left = max(self._left, 4 * stored)
        self._read = read
        self._storages: dict[StorageId, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what tensors are made of, and `Inert` for any other name; nothing is imported."""
        if module == "torch._utils":
            return {"_rebuild_tensor_v2": _tensor, "_rebuild_parameter": _parameter}.get(
                name, super().find_class(module, name)
            )
        return super().find_class(module, name)

    def persistent_load(self, pid: object) -> Tensor:
        """Read a storage: its bytes as numbers, a view of one dimension."""
        found = storage_id(pid)
        if found not in self._storages:
            content, dtype = self._read(found.key), getattr(torch, found.dtype)
            if len(content) != found.nbytes:
                raise pickle.UnpicklingError(f"a storage of {found.numbers:,} numbers from {len(content):,} bytes")
            numbers = torch.frombuffer(bytearray(content), dtype=dtype) if content else torch.empty(0, dtype=dtype)
            self._storages[found] = numbers
            self.spend(numbers)
        return self._storages[found]


def _tensor(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *rest: Any) -> Tensor:
    """Stand for `torch._utils._rebuild_tensor_v2`."""
    if not isinstance(storage, Tensor) or not fits(storage.numel(), offset, size, stride):
        raise pickle.UnpicklingError(f"a tensor of size {str(size)[:100]} that its storage does not hold")
    return storage.as_strided(size, stride, offset).clone()


def _parameter(data: Any, *rest: Any) -> Any:
    """Stand for `torch._utils._rebuild_parameter`."""
    return data


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a file of `torch.save`, of any age: a dict with its tensors, on the CPU; foreign objects in it are `Inert`.

    Raises:
        DataError: where the file is missing, damaged, compressed, or no dict.
    """
    try:
        content = _read_archive(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        check_plain(content, path.stat().st_size)
    except FileNotFoundError:
        raise DataError(f"{path}: no such checkpoint; name the downloaded file") from None
    except Exception as error:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise DataError(f"{path}: no checkpoint of torch that can be read ({reason}); download it again") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: holds no dict of weights; name a checkpoint")
    return content


def _read_archive(path: Path) -> Any:
    with path.open("rb") as file:
        check_stored(file)
    with zipfile.ZipFile(path) as archive:
        name = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if name is None:
            raise pickle.UnpicklingError("the archive holds no data.pkl")
        folder = name.removesuffix("data.pkl")
        stored = path.stat().st_size
        return CheckpointUnpickler(
            archive.read(name), 0, lambda key: archive.read(f"{folder}data/{key}"), stored
        ).load()


def _read_legacy(path: Path) -> Any:
    content = path.read_bytes()
    found = read_legacy(content)
    return CheckpointUnpickler(content, found.place, found.storages.__getitem__, len(content)).load()
