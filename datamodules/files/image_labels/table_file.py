"""`image_labels.parquet`: the form for many images and classes, a row an image, read and written group by group."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES_KEY
from datamodules.files.image_ids import ImageIds, as_image_ids
from datamodules.files.image_labels.faults import LabelFault, NoLabelError
from datamodules.files.image_labels.sparse import ImageLabels, id_type
from datamodules.files.whole_file import whole_file
from datamodules.unpickle.parquet_file import open_parquet

GROUP = 2**16
"""Images of a row group."""

WINDOW = 2**20
"""Images that are read at a time: each time the list's ids are hashed anew, .1 s a million."""


class _Rows(NamedTuple):
    """Labels of some images: their places in the list, how many classes each has, and all of them in a row."""

    places: NDArray[np.int32]
    counts: NDArray[np.int64]
    class_ids: NDArray[np.integer[Any]]


def write_table(path: Path, ids: Sequence[str], labels: ImageLabels, class_names: Sequence[str]) -> None:
    """Write the labels of images.

    Args:
        path: of the file. Columns: `id` (string) and `classes` (list<int32>, label ids from 1).
        ids: of the images.
        labels: of all of them.
        class_names: background first; they stand in the file's metadata.

    Raises:
        OSError: where the disk refuses.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    all_ids = as_image_ids(ids).arrow()
    fields = [pa.field("id", pa.string(), nullable=False), pa.field("classes", pa.list_(pa.int32()), nullable=False)]
    columns = pa.schema(fields, metadata={CLASS_NAMES_KEY: json.dumps(list(class_names))})
    with whole_file(path) as partial_, pq.ParquetWriter(partial_, columns, compression="zstd") as writer:
        for start in range(0, len(labels), GROUP):
            starts = labels.starts[start : start + GROUP + 1].astype(np.int64)
            class_ids = labels.class_ids[starts[0] : starts[-1]].astype(np.int32)
            lists = pa.ListArray.from_arrays(pa.array((starts - starts[0]).astype(np.int32)), pa.array(class_ids))
            part = all_ids.slice(start, GROUP).cast(pa.string())
            writer.write_table(pa.Table.from_arrays([part, lists], schema=columns))


def holds(path: Path, ids: Sequence[str], labels: ImageLabels, class_names: Sequence[str]) -> bool:
    """Tell whether a table says what `write_table` would write; one that cannot be read says something else."""
    if not path.is_file():
        return False
    try:
        with _open(path) as file:
            rows = file.metadata.num_rows
        found, faults = table_labels(path, class_names)(ids)
    except DataError:
        return False
    same = np.array_equal(found.class_ids, labels.class_ids) and np.array_equal(found.starts, labels.starts)
    return same and not faults and rows == len(ids)


def table_labels(
    path: Path, class_names: Sequence[str]
) -> Callable[[Sequence[str]], tuple[ImageLabels, list[LabelFault]]]:
    """Return what reads a list's labels in a table.

    Args:
        path: of the file, as `write_table` writes it; any whole numbers will do, and names need not be there.
        class_names: background first.

    Raises:
        DataError: where it is missing, no such table, or of other classes.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; prepare the data first")
    with _open(path) as file:
        _check_columns(path, file.schema_arrow, class_names)
    return partial(_read, path, len(class_names) - 1)


def _open(path: Path) -> Any:
    return open_parquet(path, "table of image labels", "remove it and prepare the data again")


def _check_columns(path: Path, columns: Any, class_names: Sequence[str]) -> None:
    import pyarrow as pa

    types: dict[str, Any] = {field.name: field.type for field in columns}
    classes = types.get("classes", pa.null())
    lists = pa.types.is_list(classes) or pa.types.is_large_list(classes)
    if "id" not in types or not lists or not pa.types.is_integer(classes.value_type):
        told = ", ".join(f"{name}: {kind}" for name, kind in types.items())[:200]
        raise DataError(
            f"{path}: columns {told or 'none'}; write id: string and classes: list<int32>, label ids from 1"
        )
    named = json.loads((columns.metadata or {}).get(CLASS_NAMES_KEY, b"null"))
    if named is not None and named != list(class_names):
        raise DataError(f"{path}: made for other class names or another order of them; prepare the data again")


def _read(path: Path, classes: int, ids: Sequence[str]) -> tuple[ImageLabels, list[LabelFault]]:
    wanted = as_image_ids(ids)
    counts, seen = np.zeros(len(wanted), np.uintc), np.zeros(len(wanted), np.bool_)
    found: list[_Rows] = []
    with _open(path) as file:
        for batch in file.iter_batches(batch_size=WINDOW, columns=["id", "classes"]):
            rows = _wanted_rows(path, batch, wanted, classes)
            times = np.bincount(rows.places, minlength=1)
            again = rows.places[seen[rows.places] | (times[rows.places] > 1)]
            if len(again):
                raise DataError(f"{path}: {wanted[int(again[0])]} is there more than once; keep one row")
            seen[rows.places], counts[rows.places] = True, rows.counts
            found.append(rows)
    starts = np.zeros(len(wanted) + 1, np.uintc)
    np.cumsum(counts, out=starts[1:])
    class_ids = np.empty(int(starts[-1]), id_type(classes))
    while found:
        rows = found.pop()
        # the k-th class of a row goes k places behind where its image begins
        behind = np.arange(len(rows.class_ids)) - np.repeat(np.cumsum(rows.counts) - rows.counts, rows.counts)
        class_ids[np.repeat(starts[rows.places].astype(np.int64), rows.counts) + behind] = rows.class_ids
    labels = ImageLabels(class_ids, starts, classes, None if seen.all() else ~seen)
    named = None if seen.all() else _first_id(path)
    faults = [LabelFault(name, NoLabelError(path, name, named=named)) for name in _at(wanted, np.flatnonzero(~seen))]
    return labels, faults


def _wanted_rows(path: Path, batch: Any, wanted: ImageIds, classes: int) -> _Rows:
    """Take the rows of a list's images, each row's classes ascending and once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = pc.index_in(batch["id"].cast(pa.large_string()), value_set=wanted.arrow())
    told = pc.and_(places.is_valid(), batch["classes"].is_valid())
    lists = batch["classes"].filter(told)
    at = places.filter(told).to_numpy(zero_copy_only=False)
    counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    values = lists.flatten().fill_null(0).to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(at)), counts)
    beyond = (values < 1) | (values > classes)
    if beyond.any():
        first = int(beyond.argmax())
        fault = f"class {values[first]} of {wanted[int(at[rows[first]])]} is none of 1 to {classes}"
        raise DataError(f"{path}: {fault}; write label ids in the order of the class names")
    ascending = values[1:] > values[:-1]
    if not (ascending | (rows[1:] != rows[:-1])).all():
        keys = np.unique(rows * (classes + 1) + values)
        rows, values = np.divmod(keys, classes + 1)
        counts = np.bincount(rows, minlength=len(at))
    return _Rows(at.astype(np.int32), counts, values.astype(id_type(classes)))


def _first_id(path: Path) -> str | None:
    with _open(path) as file:
        first = next(file.iter_batches(batch_size=1, columns=["id"]), None)
        return None if first is None or not len(first) else str(first["id"][0].as_py())


def _at(ids: ImageIds, places: NDArray[np.integer[Any]]) -> list[str]:
    return [ids[place] for place in places.tolist()]
