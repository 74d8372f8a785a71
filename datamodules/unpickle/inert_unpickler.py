"""Unpickles what holds objects of other projects: every name becomes inert but those that tensors are made of."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, ClassVar

from datamodules.unpickle.inert import Inert
from datamodules.unpickle.plain_unpickler import KEYS, PlainUnpickler
from datamodules.unpickle.torch_names import STORAGE_TYPES


class InertUnpickler(PlainUnpickler):
    """Builds plain data; names of storages become the type of their numbers, all others `Inert`. States are dropped."""

    keys: ClassVar[tuple[type, ...]] = (*KEYS, Inert, type)  # of its callbacks' states

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name; nothing is imported."""
        if (module, name) == ("collections", "OrderedDict"):
            return self._ordered
        return STORAGE_TYPES.get(name, Inert) if module == "torch" else Inert

    def set_state(self, made: Any, state: Any) -> None:
        """Drop a state: that of an OrderedDict of weights holds the versions of its modules."""

    def _is(self, made: Any, kind: type) -> None:
        if not isinstance(made, Inert):
            super()._is(made, kind)

    def _ordered(self, items: Iterable[Any] = ()) -> OrderedDict[Any, Any]:
        """Stand for `OrderedDict`; Python 2 gave it its items at once."""
        pairs = [(key, value) for key, value in items]
        self._check_keys([key for key, _ in pairs])
        return OrderedDict(pairs)
