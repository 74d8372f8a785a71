"""The ids of a list in little memory: their letters in one piece and where each ends, 8 bytes an image beside them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

CHUNK = 4096
"""Ids that are made strings at a time where all are gone through."""

ERRORS = "surrogatepass"
"""Names of files that are not UTF-8 stay what they are."""


class ImageIds(Sequence[str]):
    """Image ids in their order; equal to any sequence of the same strings.

    A list of strings takes some 75 bytes an id, and processes that read it copy it page by page; this takes 8 and the
    letters, and stays shared.

    Args:
        ids: of the images.
    """

    def __init__(self, ids: Iterable[str] = ()) -> None:
        text, ends = bytearray(), array("q", [0])
        for image_id in ids:
            text += image_id.encode(errors=ERRORS)
            ends.append(len(text))
        self._text = bytes(text)
        self._ends: NDArray[np.int64] = np.frombuffer(ends, np.int64)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> ImageIds: ...
    def __getitem__(self, place: int | slice) -> str | ImageIds:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step != 1:
                return ImageIds(self[index] for index in range(start, stop, step))
            part = ImageIds.__new__(ImageIds)
            part._text, part._ends = self._text, self._ends[start : max(start, stop) + 1]
            return part
        place = range(len(self))[place]
        return self._text[self._ends[place] : self._ends[place + 1]].decode(errors=ERRORS)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), CHUNK):
            ends = self._ends[start : start + CHUNK + 1].tolist()
            for begin, end in pairwise(ends):
                yield self._text[begin:end].decode(errors=ERRORS)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(ours == theirs for ours, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3])) + (", …" if len(self) > 3 else "")
        return f"<{len(self):,} image ids: {shown}>"

    @property
    def nbytes(self) -> int:
        """Memory that they take."""
        return len(self._text) + self._ends.nbytes

    def arrow(self) -> Any:
        """Return them as an Arrow array, which copies nothing."""
        import pyarrow as pa  # not above: commands that only look for files start at once

        return pa.LargeStringArray.from_buffers(len(self), pa.py_buffer(self._ends), pa.py_buffer(self._text))


class IdTable(Mapping[str, str]):
    """A table of image id → text in little memory: 24 bytes an image beside the letters; a dict takes some 250.

    Args:
        table: (id, text) of each image; of an id that comes twice the first counts.
    """

    def __init__(self, table: Iterable[tuple[str, str]]) -> None:
        flat = ImageIds(part for row in table for part in row)
        self._flat = flat
        hashes = _hashes(self)
        self._order = np.argsort(hashes, kind="stable").astype(np.min_scalar_type(len(hashes)))
        self._hashes = hashes[self._order]

    def __len__(self) -> int:
        return len(self._flat) // 2

    def __iter__(self) -> Iterator[str]:
        return (part for place, part in enumerate(self._flat) if place % 2 == 0)

    def __getitem__(self, image_id: str) -> str:
        wanted = hash(image_id)
        for at in range(int(np.searchsorted(self._hashes, wanted)), len(self._hashes)):
            if self._hashes[at] != wanted:
                break
            place = 2 * int(self._order[at])
            if self._flat[place] == image_id:
                return self._flat[place + 1]
        raise KeyError(image_id)

    def __reduce__(self) -> Any:
        """Let another process, where strings have other hashes, sort anew."""
        return IdTable, (list(self._rows()),)

    def _rows(self) -> Iterator[tuple[str, str]]:
        parts = iter(self._flat)
        return zip(parts, parts, strict=True)


def as_image_ids(ids: Iterable[str]) -> ImageIds:
    """Return ids as `ImageIds`; those that are stay what they are."""
    return ids if isinstance(ids, ImageIds) else ImageIds(ids)


def repeated(names: Iterable[str]) -> NDArray[np.int64]:
    """Return, in their order, the places of names that may be there more than once: 8 bytes a name.

    Names are told apart by their hashes, so what is found has to be compared; hardly ever is one of it there once only.
    """
    hashes = _hashes(names)
    ordered = np.sort(hashes)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    return np.flatnonzero(np.isin(hashes, twice)) if len(twice) else np.zeros(0, np.int64)


def later(ids: ImageIds) -> set[int]:
    """Return the places of ids that came before."""
    seen, again = set(), set()
    for place in repeated(ids).tolist():
        image_id = ids[place]
        if image_id in seen:
            again.add(place)
        seen.add(image_id)
    return again


def each_once(ids: Iterable[str]) -> ImageIds:
    """Return ids without those that came before."""
    whole = as_image_ids(ids)
    again = later(whole)
    return ImageIds(image_id for place, image_id in enumerate(whole) if place not in again) if again else whole


def places_of(wanted: Iterable[str], ids: Iterable[str]) -> NDArray[np.int64]:
    """Return the places in `ids`, ascending, of those that are wanted."""
    chosen = as_image_ids(wanted)
    if not len(chosen):
        return np.zeros(0, np.int64)
    import pyarrow.compute as pc

    return np.flatnonzero(pc.is_in(as_image_ids(ids).arrow(), value_set=chosen.arrow()).to_numpy(zero_copy_only=False))


def _hashes(names: Iterable[str]) -> NDArray[np.int64]:
    return np.frombuffer(array("q", map(hash, names)), np.int64)
