"""The index of a folder of shards: which bytes of which shard are whose, a row a file, sorted by image id."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from datamodules.files.shards.store import Store, StoreError, is_url
from datamodules.files.whole_file import whole_file

INDEX = "index.parquet"
"""Its name, in the folder that it makes one of shards."""

SCHEMA = pa.schema(
    [
        pa.field("id", pa.large_string(), nullable=False),
        pa.field("suffix", pa.string(), nullable=False),
        pa.field("shard", pa.large_string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
    ]
)
ORDER = [("id", "ascending"), ("suffix", "ascending")]


class Entry(NamedTuple):
    """A file within a shard.

    Attributes:
        id: of the image.
        suffix: of the file, with its dot; both together are the member's name.
        shard: name of a tar file beside the index, or its URL.
        offset: of the first byte.
        length: in bytes.
    """

    id: str
    suffix: str
    shard: str
    offset: int
    length: int


class Index:
    """An index in memory: some 40 bytes a file, and no Python object each.

    Args:
        table: of `SCHEMA`, sorted by `ORDER`.
    """

    def __init__(self, table: Any) -> None:
        columns = [_whole(column) for column in table.unify_dictionaries().columns]
        columns[1:3] = [column.dictionary_encode() for column in columns[1:3]]  # where they are not yet
        self._ids, self._suffixes, self._shards, *self._numbers = columns

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, image_id: str) -> list[Entry]:
        """Return the files of an image, by their suffixes."""
        row = bisect_left(range(len(self)), image_id, key=lambda row: self._ids[row].as_py())
        found = []
        while row < len(self) and self._ids[row].as_py() == image_id:
            found.append(self._entry(row))
            row += 1
        return found

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield image id and suffix of every file, in order."""
        for row in range(len(self)):
            yield self._ids[row].as_py(), self._suffixes[row].as_py()

    def shards(self) -> list[str]:
        """Return the shards that it names, sorted."""
        return sorted(self._shards.dictionary.to_pylist())

    def entries(self) -> Iterator[Entry]:
        """Yield every file in the order of shards and bytes, which reads each shard once from front to back."""
        places = pa.table({"shard": self._shards.indices, "offset": self._numbers[0]})
        for row in pc.sort_indices(places, [("shard", "ascending"), ("offset", "ascending")]):
            yield self._entry(row.as_py())

    def _entry(self, row: int) -> Entry:
        numbers = (int(column[row].as_py()) for column in self._numbers)
        return Entry(self._ids[row].as_py(), self._suffixes[row].as_py(), self._shards[row].as_py(), *numbers)


def table_of(entries: Iterable[Entry]) -> Any:
    """Return entries as a table."""
    columns = list(zip(*entries, strict=True)) or [()] * len(SCHEMA.names)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def merged(tables: Sequence[Any]) -> Any:
    """Return the files of all tables in order; one that several name is the last one's."""
    whole = pa.concat_tables([SCHEMA.empty_table(), *tables])
    ranked = whole.append_column("rank", pa.array(np.arange(len(whole))))
    whole = ranked.sort_by([*ORDER, ("rank", "ascending")]).drop_columns("rank")
    if len(whole) < 2:
        return whole
    ids, suffixes = _whole(whole["id"]), _whole(whole["suffix"])
    last = pc.or_(pc.not_equal(ids[:-1], ids[1:]), pc.not_equal(suffixes[:-1], suffixes[1:]))
    return whole.filter(pa.concat_arrays([last, pa.array([True])]))


def renamed(table: Any, name: Callable[[str], str]) -> Any:
    """Return a table whose shards have other names: by their URLs, say, to be read from anywhere."""
    shards = _whole(table["shard"]).dictionary_encode()
    names = pa.array([name(shard) for shard in shards.dictionary.to_pylist()], pa.large_string())
    return table.set_column(2, SCHEMA.field("shard"), names.take(shards.indices))


def _whole(column: Any) -> Any:
    """Return a column as one array."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def write_table(path: Path, table: Any) -> None:
    """Write a table of files, whole or not at all."""
    with whole_file(path) as partial:
        pq.write_table(table, partial)


def read_table(store: Store, name: str = INDEX, repeated: Sequence[str] = ()) -> Any:
    """Read a table of files.

    Args:
        store: that it lies in.
        name: of its file.
        repeated: columns of which each value is held once, however often it is there.

    Raises:
        StoreError: where it is missing or none, or its store cannot be reached.
    """
    address = store.address(name)
    try:
        table = pq.read_table(pa.BufferReader(store.read(name)), read_dictionary=list(repeated)).select(SCHEMA.names)
        kinds = {one: pa.dictionary(pa.int32(), SCHEMA.field(one).type) for one in repeated}
        fields = [pa.field(field.name, kinds.get(field.name, field.type), nullable=False) for field in SCHEMA]
        table = table.cast(pa.schema(fields))
        table.validate(full=True)  # or else a row that points nowhere is met when it is looked up
        return table
    except FileNotFoundError:
        remedy = f"`mars data index {store.place}` writes it where there are shards"
        raise StoreError(f"{address}: no such index of shards; name another place, or {remedy}") from None
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, StoreError):
            raise
        reason = " ".join(str(error).split())[:200]
        remedy = f"`mars data index {store.place}` writes it anew"
        raise StoreError(f"{address}: cannot be read as an index of shards ({reason}); {remedy}") from None


def read_index(store: Store) -> Index:
    """Read the index of a folder; raises as `read_table` does."""
    return Index(read_table(store, repeated=("suffix", "shard")))


def is_index(place: str) -> bool:
    """Tell whether a path or a URL ends in an index."""
    return place.rsplit("/", 1)[-1] == INDEX and (is_url(place) or Path(place).is_file())
