"""Read the community's pickles, bare or in `.npy` files, without running what a pickle may carry.

A pickle is a program. This reader lets it build numpy arrays and scalars, numbers, strings, dicts, lists and tuples,
and refuses every other name before it is imported.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError

Names = Mapping[tuple[str, str], Callable[..., Any]]
"""(module, name) in the pickle → what stands for it here."""


class _Latin1:
    """Stands for `_codecs.encode`, by which old pickles write bytes; no other encoding, and nothing to set on it."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding not in ("latin1", "latin-1"):
            raise pickle.UnpicklingError(f"encoding {encoding}")
        return text.encode("latin1")


class _FromBuffer:
    """Stands for the function by which protocol 5 writes arrays: a Python function would let a pickle set its state."""

    __slots__ = ()

    def __call__(self, *layout: Any) -> Any:
        return np._core.numeric._frombuffer(*layout)  # type: ignore[attr-defined]


class _EmptyArray:
    """Stands for `_reconstruct`, whatever its arguments: an array that is still to get its state."""

    __slots__ = ()

    def __call__(self, *_: object) -> NDArray[Any]:
        return np.empty(0, dtype=np.int8)


class _SimpleType:
    """Stands for `numpy.dtype`: numbers, strings and objects by their codes, no records and no views of other types."""

    __slots__ = ()

    def __call__(self, code: object, *_: object) -> np.dtype[Any]:
        if not isinstance(code, str) or not re.fullmatch(r"[<>|=]?[?biufcSUO]\d*", code):
            raise pickle.UnpicklingError(f"numbers of type {code!r}")
        return np.dtype(code, copy=True)  # the state that follows must not change the process's own


class _Name:
    """Stands for `numpy.ndarray`, which `_reconstruct` gets: called itself, it would show memory as objects."""

    __slots__ = ()


def _numpy_names() -> dict[tuple[str, str], Any]:
    names: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): _Name(),
        ("numpy", "dtype"): _SimpleType(),
        ("_codecs", "encode"): _Latin1(),
    }
    for package in ("numpy.core", "numpy._core"):  # before and since numpy 2
        names[f"{package}.multiarray", "_reconstruct"] = _EmptyArray()
        names[f"{package}.multiarray", "scalar"] = np._core.multiarray.scalar  # type: ignore[attr-defined]
        names[f"{package}.numeric", "_frombuffer"] = _FromBuffer()
    return names


class RestrictedUnpickler(pickle._Unpickler):
    """Builds plain data and numpy arrays only.

    pickle's version in Python, for numpy believes any state that a pickle gives a dtype: one that calls objects numbers
    turns bytes of the file into addresses.

    Args:
        file: open binary file, at the pickle's first byte.
        also: further names to allow; each should be inert whatever it is called with.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: IO[bytes], also: Names | None = None) -> None:
        # Strings of Python 2 become str; the arrays in them stay whole.
        super().__init__(file, encoding="latin1")
        self._names = _numpy_names() | dict(also or {})

    def find_class(self, module: str, name: str) -> Any:
        """Return what may be built; raises UnpicklingError for anything else."""
        try:
            return self._names[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: object) -> Any:
        """Refuse references to objects outside the file."""
        raise pickle.UnpicklingError("it refers to objects outside the file")

    def load_build(self) -> None:
        """Set the state of a new array, or the byte order of a dtype; nothing else has a state."""
        made, state = self.stack[-2:]  # type: ignore[attr-defined]
        if isinstance(made, np.dtype):
            own = made.__reduce__()[2]
            if not isinstance(state, tuple) or (state[0], state[2:]) != (own[0], own[2:]):
                raise pickle.UnpicklingError(f"a forged dtype {made}")
        elif not isinstance(made, np.ndarray) or made.shape != (0,) or not made.flags.owndata:
            raise pickle.UnpicklingError(f"it changes a {type(made).__name__} that is already made")
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build


def read_pickled_npy(path: Path, also: Names | None = None) -> Any:
    """Read a `.npy` file, pickled or not: the array, or the one object that `np.save` wrapped into an array.

    Raises:
        DataError: where the file is missing, damaged, or asks for anything but numpy, plain data and `also`.
    """
    with _refusals(path, also), path.open("rb") as file:
        npy = np.lib.format
        old = npy.read_magic(file) == (1, 0)
        _, _, dtype = npy.read_array_header_1_0(file) if old else npy.read_array_header_2_0(file)
        if not dtype.hasobject:
            return np.load(path, allow_pickle=False)
        content = RestrictedUnpickler(file, also).load()
    return content.item() if isinstance(content, np.ndarray) and content.shape == () else content


def read_pickle(path: Path, also: Names | None = None) -> Any:
    """Read the one object of a bare pickle; raises DataError as `read_pickled_npy` does."""
    with _refusals(path, also), path.open("rb") as file:
        return RestrictedUnpickler(file, also).load()


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
