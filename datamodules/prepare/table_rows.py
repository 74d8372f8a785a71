"""Rows of a table of image labels in little memory: a list of names a row takes some 500 bytes, this its letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload

from datamodules.files.image_ids import IdTable, ImageIds

END = "\x1f"
"""Behind each class name of a row; the unit separator of ASCII, which no table has in a name."""


class Rows(Sequence[tuple[str, list[str]]]):
    """(Image as the table calls it, its class names) in the table's order; equal to any sequence of the same rows.

    Args:
        rows: of the table; they are gone through once.
    """

    def __init__(self, rows: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._parts = ImageIds(part for name, names in rows for part in (name, _joined(names)))

    def __len__(self) -> int:
        return len(self._parts) // 2

    @overload
    def __getitem__(self, place: int) -> tuple[str, list[str]]: ...
    @overload
    def __getitem__(self, place: slice) -> Rows: ...
    def __getitem__(self, place: int | slice) -> tuple[str, list[str]] | Rows:
        if isinstance(place, slice):
            return Rows(self[index] for index in range(*place.indices(len(self))))
        place = range(len(self))[place]
        return self._parts[2 * place], _parted(self._parts[2 * place + 1])

    def __iter__(self) -> Iterator[tuple[str, list[str]]]:
        parts = iter(self._parts)
        return ((name, _parted(names)) for name, names in zip(parts, parts, strict=True))

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


class NameTable(Mapping[str, Sequence[str]]):
    """Image id → class names; of an id that comes twice the first row counts.

    Args:
        rows: (image id, class names).
    """

    def __init__(self, rows: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._table = IdTable((image_id, _joined(names)) for image_id, names in rows)

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __getitem__(self, image_id: str) -> list[str]:
        return _parted(self._table[image_id])


def _joined(names: Sequence[str]) -> str:
    return "".join(f"{name}{END}" for name in names)


def _parted(text: str) -> list[str]:
    return text.split(END)[:-1]
