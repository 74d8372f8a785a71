"""Storages in a file of torch's, whose claims of their sizes are checked against the bytes that are there.

torch's own weights-only reader takes a key that overflows the stack, and a size for what it says. So the bytes of
`torch.save` before 1.6, which `_load_from_bytes` still writes, are taken apart here: three pickles that say what it is,
one with the object, one with the keys of its storages, then each storage's count of numbers and its bytes.
"""

from __future__ import annotations

import pickle
import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datamodules.unpickle.inert_unpickler import InertUnpickler
from datamodules.unpickle.plain_unpickler import PlainUnpickler
from datamodules.unpickle.torch_names import STORAGE_TYPES, WIDTHS

MAGIC = 0x1950A86A20F9469CFC6C
"""What such a file begins with, as a pickle."""


class StorageId(NamedTuple):
    """How a pickle refers to a storage.

    Attributes:
        dtype: of its numbers.
        key: its name.
        numbers: how many it has.
    """

    dtype: str
    key: str
    numbers: int

    @property
    def nbytes(self) -> int:
        """How many bytes it has."""
        return self.numbers * WIDTHS.get(self.dtype, 1)


def storage_id(pid: Any) -> StorageId:
    """Read what a pickle refers to; raises UnpicklingError where it is no storage."""
    if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage" or any(pid[5:]):
        raise pickle.UnpicklingError("it refers to objects that are no storages")
    _, dtype, key, _, count = pid[:5]
    if not isinstance(dtype, str) or dtype not in STORAGE_TYPES.values() or not isinstance(key, str):
        raise pickle.UnpicklingError("it refers to a storage of numbers that are not known")
    if type(count) is not int or not 0 <= count < 2**48:
        raise pickle.UnpicklingError("it refers to a storage whose size is no number")
    return StorageId(dtype, key, count)


class _Ids(InertUnpickler):
    """Collects the storages that a pickle refers to."""

    def __init__(self, content: bytes, place: int) -> None:
        super().__init__(content, place)
        self.found: dict[str, StorageId] = {}

    def persistent_load(self, pid: object) -> Any:
        found = storage_id(pid)
        if self.found.setdefault(found.key, found) != found:
            raise pickle.UnpicklingError("a storage that is claimed to be of two sizes")
        return found


class LegacyFile(NamedTuple):
    """A file of torch before 1.6, taken apart.

    Attributes:
        place: where the pickle of the object begins.
        content: of the object, with `StorageId` for storages and `Inert` for all that is not plain.
        storages: bytes of each by its key.
    """

    place: int
    content: Any
    storages: dict[str, bytes]


def read_legacy(content: bytes) -> LegacyFile:
    """Take apart a file of `torch.save` before 1.6; raises UnpicklingError where it is none, or claims more bytes."""
    place = 0
    for wanted in (MAGIC, None, None):
        reader = PlainUnpickler(content, place)
        if reader.load() != wanted and wanted is not None:
            raise pickle.UnpicklingError("it does not begin as a file of torch")
        place = reader.source.tell()
    ids = _Ids(content, place)
    loaded = ids.load()
    reader = PlainUnpickler(content, ids.source.tell())
    keys, end = reader.load(), reader.source.tell()
    if not isinstance(keys, list) or any(not isinstance(key, str) or key not in ids.found for key in keys):
        raise pickle.UnpicklingError("it holds storages that nothing refers to")
    storages: dict[str, bytes] = {}
    for key in keys:
        (count,) = struct.unpack_from("<q", content, end)
        size, end = ids.found[key].nbytes, end + 8
        if count != ids.found[key].numbers or end + size > len(content):
            raise pickle.UnpicklingError(f"a storage of {count:,} numbers, of which not all are there")
        storages[key], end = content[end : end + size], end + size
    if missing := ids.found.keys() - storages.keys():
        raise pickle.UnpicklingError(f"{len(missing)} storages are not there")
    return LegacyFile(place, loaded, storages)


def as_numbers(found: StorageId, content: bytes) -> NDArray[Any]:
    """Return a storage's numbers as a flat array; bfloat16, which numpy has not got, becomes float32."""
    if len(content) != found.nbytes:
        raise pickle.UnpicklingError(f"a storage of {found.numbers:,} numbers from {len(content):,} bytes")
    if found.dtype == "bfloat16":
        return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(content, np.dtype(found.dtype))
