"""Read the community's pickles, bare or in `.npy` files, without running what a pickle may carry.

A pickle is a program. This reader lets it build numpy arrays and scalars, numbers, strings, dicts, lists and tuples,
and refuses every other name before it is imported.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.errors import DataError
from datamodules.unpickle.bounds import check_plain
from datamodules.unpickle.npy_head import npy_head, read_npy
from datamodules.unpickle.numpy_names import check_dtype_state, numpy_names, set_array_state
from datamodules.unpickle.plain_unpickler import PlainUnpickler

Names = Mapping[tuple[str, str], Callable[..., Any]]
"""(module, name) in the pickle → what stands for it here."""


class RestrictedUnpickler(PlainUnpickler):
    """Builds plain data and numpy arrays only.

    Args:
        content: of the file.
        place: where in it the pickle begins.
        also: further names to allow; each should be inert whatever it is called with, and check what it is given.
    """

    def __init__(self, content: bytes, place: int = 0, also: Names | None = None) -> None:
        super().__init__(content, place)
        self._names = numpy_names() | dict(also or {})

    def find_class(self, module: str, name: str) -> Any:
        """Return what may be built; raises UnpicklingError for anything else."""
        try:
            return self._names[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def set_state(self, made: Any, state: Any) -> None:
        """Set the state of a new array, or the byte order of a dtype; nothing else has a state."""
        if isinstance(made, np.dtype):
            check_dtype_state(made, state)
            made.__setstate__(state)  # type: ignore[attr-defined]
        elif isinstance(made, np.ndarray):
            set_array_state(made, state)
        else:
            super().set_state(made, state)


def read_pickled_npy(path: Path, also: Names | None = None) -> Any:
    """Read a `.npy` file, pickled or not: the array, or the one object that `np.save` wrapped into an array.

    Raises:
        DataError: where the file is missing, damaged, or asks for anything but numpy, plain data and `also`.
    """
    with _refusals(path, also):
        with path.open("rb") as file:
            head = npy_head(file)
            if not head.dtype.hasobject:
                return read_npy(file, head, path.stat().st_size - file.tell())
            place = file.tell()
        content = _load(path.read_bytes(), place, also)
    return content.item() if isinstance(content, np.ndarray) and content.shape == () else content


def read_pickle(path: Path, also: Names | None = None) -> Any:
    """Read the one object of a bare pickle; raises DataError as `read_pickled_npy` does."""
    with _refusals(path, also):
        return _load(path.read_bytes(), 0, also)


def _load(content: bytes, place: int, also: Names | None) -> Any:
    loaded = RestrictedUnpickler(content, place, also).load()
    check_plain(loaded, len(content))
    return loaded


@contextmanager
def _refusals(path: Path, also: Names | None) -> Iterator[None]:
    """Turn whatever a missing, damaged or hostile file raises into one line that names it."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        arrays = "torch tensors, numpy arrays" if any("torch" in module for module, _ in also or ()) else "numpy arrays"
        allowed = f"{arrays}, numbers, strings, dicts and lists"
        raise DataError(f"{path}: refused ({reason}); a file that holds {allowed} only would be read") from error
