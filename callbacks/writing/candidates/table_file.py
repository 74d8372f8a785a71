"""`candidates.parquet`: a row a candidate of the centroids stage, background among them (paper §3.2, Eq. 1–3)."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES_KEY
from datamodules.files.whole_file import whole_file
from datamodules.unpickle.parquet_file import open_parquet

CANDIDATES = "candidates.parquet"
OLD_CANDIDATES = "candidates.csv"
"""What earlier versions wrote in its place."""

VECTOR = "vector"
CSV_COLUMNS = ("id", "class", "cluster", "pixels", "distance", "selected", "iou")


def schema(dim: int, class_names: Sequence[str]) -> Any:
    """Return the columns of a table whose vectors have ``dim`` numbers.

    Rows are in the order of id, class and cluster. ``class`` is 0 for background, which has no ``distance`` and no
    ``selected``; ``iou`` is null where there is no truth.
    """
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("class", pa.int32(), nullable=False),
            pa.field("cluster", pa.int32(), nullable=False),
            pa.field("pixels", pa.int64(), nullable=False),
            pa.field("distance", pa.float64()),
            pa.field("selected", pa.bool_()),
            pa.field("iou", pa.float64()),
            # numbers that cannot be null are read four times as fast
            pa.field(VECTOR, pa.list_(pa.field("element", pa.float32(), nullable=False), dim), nullable=False),
        ],
        metadata={CLASS_NAMES_KEY: json.dumps(list(class_names))},
    )


class TableWriter:
    """Writes the table in row groups.

    Args:
        path: of the Parquet file.
        columns: see ``schema``.
    """

    def __init__(self, path: Path, columns: Any) -> None:
        self._columns = columns
        packed = dict.fromkeys(CSV_COLUMNS, "zstd") | {f"{VECTOR}.list.element": "none"}  # noise does not shrink
        self._writer = pq.ParquetWriter(
            path, columns, compression=packed, use_dictionary=["id", "class"], write_statistics=["id", "class"]
        )

    def write(self, ids: Any, vectors: NDArray[np.float32], numbers: Mapping[str, NDArray[Any]]) -> None:
        """Write a row group.

        Args:
            ids: (n,), an Arrow array.
            vectors: (n, D).
            numbers: by column, (n,); ``distance`` and ``selected`` of background and NaN of ``iou`` become null.
        """
        nothing = numbers["class"] == 0
        unknown = {"distance": nothing, "selected": nothing, "iou": np.isnan(numbers["iou"])}
        arrays = [ids.cast(pa.string())]
        for field in list(self._columns)[1:-1]:
            arrays.append(pa.array(numbers[field.name], field.type, mask=unknown.get(field.name)))
        flat = pa.array(vectors.reshape(-1))
        arrays.append(pa.FixedSizeListArray.from_arrays(flat, type=self._columns.field(VECTOR).type))
        table = pa.Table.from_arrays(arrays, schema=self._columns)
        self._writer.write_table(table, row_group_size=max(1, len(table)))

    def close(self) -> None:
        """End the file."""
        self._writer.close()


@contextmanager
def reading(path: Path) -> Iterator[Any]:
    """Open a table; what is wrong with it is told in one line.

    Raises:
        DataError: where it is missing, damaged or no table of candidates.
    """
    if not path.is_file():
        old = path.with_name(OLD_CANDIDATES).is_file()
        words = f"an earlier version wrote {OLD_CANDIDATES}" if old else "no such table"
        raise DataError(f"{path}: {words}; make the centroids stage again")
    with open_parquet(path, "table of candidates", "make the centroids stage again") as file:
        yield file


def class_names(file: Any) -> tuple[str, ...]:
    """Return the classes' names, background first, of an open table.

    Raises:
        ValueError: where its metadata have no list of texts, each another.
    """
    names = json.loads(file.schema_arrow.metadata[CLASS_NAMES_KEY])
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)):
        raise ValueError("no list of class names, each another, in its metadata")
    return tuple(names)


def batches(file: Any, *columns: str) -> Iterator[Any]:
    """Yield the columns of an open table, part after part.

    Raises:
        ValueError: where a column is shorter than the table, with which Arrow would end.
    """
    rows = 0
    for batch in file.iter_batches(columns=list(columns)):
        rows += len(batch)
        yield batch
    if rows != file.metadata.num_rows:
        raise ValueError(f"of {file.metadata.num_rows} rows {rows} are whole")


def write_csv(table: Path, target: Path) -> int:
    """Write the foreground candidates, without their vectors, as CSV; returns how many there are.

    Classes have their names; ``distance`` has six places, ``iou`` four, or is empty where there is no truth.

    Raises:
        DataError: where the table cannot be read.
    """
    rows = 0
    with whole_file(target) as partial, reading(table) as file, partial.open("w", newline="", encoding="utf-8") as csv_:
        writer, names = csv.writer(csv_), class_names(file)
        writer.writerow(CSV_COLUMNS)
        for batch in batches(file, *CSV_COLUMNS):
            for image_id, index, cluster, pixels, distance, selected, iou in zip(
                *(batch[name].to_pylist() for name in CSV_COLUMNS), strict=True
            ):
                if index:
                    measured = "" if iou is None or math.isnan(iou) else f"{iou:.4f}"
                    writer.writerow(
                        (image_id, names[index], cluster, pixels, f"{distance:.6f}", int(selected), measured)
                    )
                    rows += 1
    return rows
