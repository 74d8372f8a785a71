"""Candidates while the job runs: a journal of each process, which it packs into Parquet files of many images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from callbacks.writing.candidates.found import ImageFound
from callbacks.writing.journal import Done, Journal, journals, read_journal, remove_journals
from datamodules.files.whole_file import whole_file

IMAGES = 65_536
"""Images whose lines a process packs at a time: some 90 MB of candidates of 70 numbers."""

GROUP = 1024
"""Images of a row group, what a reader holds of a part."""

NAME = ".candidates-{rank}-{number}.parquet"
"""Hidden, for it is gone when the job has ended well."""

NUMBERS: dict[str, Any] = {"classes": pa.int32(), "clusters": pa.int32(), "pixels": pa.int64(), "iou": pa.float64()}
"""Columns of candidates that have one number each."""

SCHEMA = pa.schema(
    [
        pa.field("id", pa.large_string(), nullable=False),
        pa.field("empty", pa.large_list(pa.int32()), nullable=False),
        *(pa.field(name, pa.large_list(kind), nullable=False) for name, kind in NUMBERS.items()),
        pa.field("vectors", pa.large_binary(), nullable=False),  # float32 (n, D); bytes are read four times as fast
    ]
)
"""A row an image, so that one without candidates is there too, and one is there with all of them or not at all."""


class CandidateJournal(Journal):
    """A journal that packs its lines into a part whenever there are ``IMAGES`` of them.

    A process that is killed before the lines are cleared leaves images twice, which readers see to.

    Args:
        folder: of the job.
        rank: of the process.
    """

    def __init__(self, folder: Path, rank: int) -> None:
        super().__init__(folder, rank)
        self._folder, self._rank, self._lines = folder, rank, 0

    def append(self, done: Done[ImageFound]) -> None:
        """Write one image down."""
        super().append(done)
        self._lines += 1
        if self._lines == IMAGES:
            _pack(self.path, self._folder, self._rank)
            self.clear()
            self._lines = 0


def pack_rest(folder: Path) -> None:
    """Pack what stands in the journals of all processes, none of which writes any more."""
    for path in journals(folder):
        _pack(path, folder, 0)
    remove_journals(folder)


def parts(folder: Path) -> list[Path]:
    """Return the parts of a folder, of however many processes."""
    return sorted(folder.glob(NAME.format(rank="*", number="*")))


def remove_parts(folder: Path) -> None:
    """Forget what was found."""
    for path in parts(folder):
        path.unlink()


def ids_in_parts(folder: Path) -> Iterator[str]:
    """Yield the images of all parts."""
    for path in parts(folder):
        yield from pq.read_table(path, columns=["id"])["id"].to_pylist()


def write_part(
    path: Path,
    ids: Any,
    counts: NDArray[np.integer[Any]],
    columns: dict[str, NDArray[Any]],
    empty: Sequence[Sequence[int]] | None = None,
) -> None:
    """Write a part, its images in the order of their ids.

    Args:
        path: of the part.
        ids: of its images, in any order.
        counts: how many candidates each has.
        columns: those of ``ImageFound`` for the candidates of all images, one image's after the other's.
        empty: of each image, classes without a candidate; None where no image has one.
    """
    ends = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    offsets, row = pa.array(ends), columns["vectors"].strides[0]
    buffers = [None, pa.py_buffer(ends * row), pa.py_buffer(np.ascontiguousarray(columns["vectors"]))]
    arrays = [
        pa.array(ids, pa.large_string()),
        pa.array([[]] * len(counts) if empty is None else empty, pa.large_list(pa.int32())),
        *(pa.LargeListArray.from_arrays(offsets, pa.array(columns[name], kind)) for name, kind in NUMBERS.items()),
        pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(counts), buffers),
    ]
    table = pa.Table.from_arrays(arrays, schema=SCHEMA).sort_by("id")
    with whole_file(path) as partial:
        pq.write_table(table, partial, row_group_size=GROUP, compression="none", use_dictionary=False)


def _pack(journal: Path, folder: Path, rank: int) -> None:
    done = list(read_journal(journal))
    if not done:
        return
    found: list[ImageFound] = [one.result for one in done]
    some = [one for one in found if len(one["classes"])] or found[:1]  # D is not known of an image without a candidate
    columns = {name: np.concatenate([one[name] for one in some]) for name in (*NUMBERS, "vectors")}  # type: ignore[literal-required]
    counts = np.array([len(one["classes"]) for one in found])
    numbers = [int(path.stem.rpartition("-")[2]) for path in folder.glob(NAME.format(rank=rank, number="*"))]
    path = folder / NAME.format(rank=rank, number=max(numbers, default=-1) + 1)
    write_part(path, [one.id for one in done], counts, columns, [one["empty"] for one in found])
