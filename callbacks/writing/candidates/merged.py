"""The parts of all processes as one table in the order of image ids, read in windows: it need not fit into memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from mars_pl.debias.distance import Rows

WINDOW = 8192
"""Images of a window: some 40,000 candidates, 11 MB of 70 numbers."""


@dataclass(frozen=True)
class Window:
    """The candidates of some images, which follow one another by id.

    Attributes:
        ids: of the images, an Arrow array.
        images: (n,) int64, the image of each candidate as a place in ``ids``.
        classes: (n,) int32, 0 for background.
        clusters: (n,) int32.
        pixels: (n,) int64.
        iou: (n,) float64, NaN where it is not known.
        vectors: (n, D) float32; D is not known where n is 0.
        empty: int32, class after class that an image has no candidate of.
    """

    ids: Any
    images: NDArray[np.int64]
    classes: NDArray[np.int32]
    clusters: NDArray[np.int32]
    pixels: NDArray[np.int64]
    iou: NDArray[np.float64]
    vectors: NDArray[np.float32]
    empty: NDArray[np.int32]

    @property
    def rows(self) -> Rows:
        """Classes and vectors, as the selection takes them."""
        return torch.from_numpy(self.classes), torch.from_numpy(self.vectors)


class MergedParts:
    """All images of several parts, each once, in the order of their ids, whatever part they lie in.

    Only ids are held, and of each part the row group that is being read.

    Args:
        paths: of the parts, in each of which ids rise.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        ids = [pq.read_table(path, columns=["id"])["id"].combine_chunks() for path in paths]
        self._starts = np.cumsum([0, *map(len, ids)])
        joined = pa.concat_arrays([pa.array([], pa.large_string()), *ids])
        order = pc.sort_indices(joined)
        in_order = joined.take(order)
        # an image that was done twice, as where a process was killed between two files, counts once
        first = np.ones(len(order), dtype=bool)
        first[1:] = pc.not_equal(in_order[1:], in_order[:-1]).to_numpy(zero_copy_only=False)
        self._order = order.to_numpy()[first].astype(np.int64)

    def __len__(self) -> int:
        """Return how many images there are."""
        return len(self._order)

    def windows(self) -> Iterator[Window]:
        """Read all images from the first to the last, the same windows however the parts are cut.

        A thread reads the next window while one is worked on.
        """
        windows = self._read()
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(next, windows, None)
            while (window := ahead.result()) is not None:
                ahead = pool.submit(next, windows, None)
                yield window

    def _read(self) -> Iterator[Window]:
        readers = [_reader(path) for path in self._paths]
        for reader in readers:
            next(reader)
        for start in range(0, len(self), WINDOW):
            rows = self._order[start : start + WINDOW]
            part = np.searchsorted(self._starts, rows, side="right") - 1
            pieces, places = [], []
            for index in np.unique(part).tolist():
                own = np.flatnonzero(part == index)
                pieces += readers[index].send(rows[own] - self._starts[index])
                places.append(own)
            table = pa.concat_tables(pieces).take(pa.array(np.argsort(np.concatenate(places)))).combine_chunks()
            yield _window(table.to_batches()[0])


def _reader(path: Path) -> Generator[list[Any], NDArray[np.int64], None]:
    """Take rows that rise from one call to the next, and give them back in pieces."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        # group by group: iter_batches() would hold the whole file
        groups = (file.read_row_group(group, use_threads=False) for group in range(file.num_row_groups))
        table: Any = None
        found: list[Any] = []
        start, end = 0, 0
        while True:
            rows = yield found
            found = []
            while len(rows):
                while rows[0] >= end:
                    table = next(groups)
                    start, end = end, end + len(table)
                here = np.searchsorted(rows, end)
                found.append(table.take(pa.array(rows[:here] - start)))
                rows = rows[here:]


def _window(batch: Any) -> Window:
    counts = pc.list_value_length(batch["classes"]).to_numpy(zero_copy_only=False)
    numbers = {name: _values(batch[name]) for name in ("classes", "clusters", "pixels", "iou", "empty")}
    images = np.arange(len(batch)).repeat(counts)
    _, ends, content = batch["vectors"].buffers()
    length = np.frombuffer(ends, dtype=np.int64)[batch["vectors"].offset + len(batch)]  # it may be padded
    vectors = np.frombuffer(content or b"", dtype=np.float32, count=length // 4).copy()  # torch wants to write
    dim = len(vectors) // max(1, len(images))
    return Window(batch["id"], images, vectors=vectors.reshape(len(images), dim), **numbers)


def _values(lists: Any) -> NDArray[Any]:
    return np.array(lists.flatten())
