"""pickle's machine, kept from crashing: it builds lists, dicts and numbers, and what a reader lets names stand for.

A pickle is a program. Beside the names that it asks for, its own instructions can end the process: a tuple nested a
million deep overflows the stack when it becomes a key, a number in the file reserves memory.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from datamodules.unpickle.bounds import ALWAYS

STEPS = 12_000_000
"""Instructions of one pickle: an array takes a dozen of them, a list one for each of its items."""

KEYS = (str, bytes, int, float, np.generic, type(None))
"""Types of the keys of a dict, which are hashed without a walk through what they hold."""


class _Instructions(dict[int, Any]):
    """Code → what carries it out; counts how many are asked for."""

    left = STEPS

    def __getitem__(self, code: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise pickle.UnpicklingError(f"it is a program of more than {STEPS:,} steps")
        if code not in self:
            raise pickle.UnpicklingError("it is damaged, or no pickle")
        return super().__getitem__(code)


class PlainUnpickler(pickle._Unpickler):
    """Reads a pickle from the bytes of a file; refuses names, states and references, which its children may allow.

    It is pickle's version in Python: the one in C reserves memory for whatever place a pickle gives to an object.

    Args:
        content: of the file.
        place: where in it the pickle begins.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    keys: ClassVar[tuple[type, ...]] = KEYS
    # pickle's own: items since the last mark, those before it, and how the next are taken
    stack: list[Any]
    metastack: list[list[Any]]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, content: bytes, place: int = 0) -> None:
        self.source = io.BytesIO(content)  # to read beyond its end reserves nothing
        self.source.seek(place)
        super().__init__(self.source, encoding="latin1")  # Python 2's strings become str; arrays in them stay whole
        self.dispatch = _Instructions(type(self).dispatch)  # type: ignore[misc]
        self._left = max(ALWAYS, 4 * len(content))

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name; here none is allowed."""
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: object) -> Any:
        """Return an object outside the file; here none is allowed."""
        raise pickle.UnpicklingError("it refers to objects outside the file")

    def set_state(self, made: Any, state: Any) -> None:
        """Set a state; here nothing has one."""
        raise pickle.UnpicklingError(f"it changes a {type(made).__name__} that is already made")

    def spend(self, made: Any) -> None:
        """Count the bytes that were copied out of the file: a pickle can have the same ones copied again and again."""
        size = getattr(made, "nbytes", None)
        self._left -= size if isinstance(size, int) else len(made) if isinstance(made, bytes | dict) else 0
        if self._left < 0:
            raise pickle.UnpicklingError("it makes far more of its bytes than there are")

    def _reduce(self) -> None:
        super().load_reduce()  # type: ignore[misc]
        self.spend(self.stack[-1])

    def _build(self) -> None:
        state = self.stack.pop()
        self.set_state(self.stack[-1], state)
        self.spend(self.stack[-1])

    def _bytearray8(self) -> None:
        """Unlike pickle's, which reserves the size that the file states."""
        (size,) = struct.unpack("<Q", self.read(8))
        content = self.read(min(size, 2**62))
        if len(content) < size:
            raise pickle.UnpicklingError("it ends in the middle of its bytes")
        self.append(bytearray(content))

    def _setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set_items(self.stack[-1], (key, value))

    def _setitems(self) -> None:
        items = self.pop_mark()
        self._set_items(self.stack[-1], items)

    def _dict(self) -> None:
        made: dict[Any, Any] = {}
        self._set_items(made, self.pop_mark())
        self.append(made)

    def _append(self) -> None:
        self._is(self.stack[-2], list)
        super().load_append()  # type: ignore[misc]

    def _appends(self) -> None:
        self._is(self.metastack[-1][-1], list)
        super().load_appends()  # type: ignore[misc]

    def _additems(self) -> None:
        self._is(self.metastack[-1][-1], set)
        self._check_keys(self.stack)
        super().load_additems()  # type: ignore[misc]

    def _frozenset(self) -> None:
        self._check_keys(self.stack)
        super().load_frozenset()  # type: ignore[misc]

    def _set_items(self, made: Any, items: Any) -> None:
        self._is(made, dict)
        self._check_keys(items[::2])
        for key, value in zip(items[::2], items[1::2], strict=True):
            made[key] = value

    def _check_keys(self, keys: Iterable[Any]) -> None:
        for key in keys:
            if not all(isinstance(part, self.keys) for part in (key if isinstance(key, tuple) else (key,))):
                raise pickle.UnpicklingError(f"a {type(key).__name__} as a key")

    def _is(self, made: Any, kind: type) -> None:
        """Refuse to put items into anything but a list, a dict or a set: an array would take them too."""
        if not isinstance(made, kind):
            raise pickle.UnpicklingError(f"it puts items into a {type(made).__name__}")

    dispatch[pickle.REDUCE[0]] = _reduce
    dispatch[pickle.BUILD[0]] = _build
    dispatch[pickle.BYTEARRAY8[0]] = _bytearray8
    dispatch[pickle.SETITEM[0]] = _setitem
    dispatch[pickle.SETITEMS[0]] = _setitems
    dispatch[pickle.DICT[0]] = _dict
    dispatch[pickle.APPEND[0]] = _append
    dispatch[pickle.APPENDS[0]] = _appends
    dispatch[pickle.ADDITEMS[0]] = _additems
    dispatch[pickle.FROZENSET[0]] = _frozenset
