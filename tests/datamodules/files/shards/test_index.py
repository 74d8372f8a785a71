"""Which bytes are whose: what is found, in which order, and what is said of an index that is none."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datamodules.errors import DataError
from datamodules.files.shards.index import (
    INDEX,
    Entry,
    Index,
    is_index,
    merged,
    read_index,
    read_table,
    renamed,
    table_of,
    write_table,
)
from datamodules.files.shards.store import Store

FILES = [
    Entry("b", ".png", "two.tar", 512, 7),
    Entry("a", ".png", "two.tar", 1536, 1),
    Entry("a", ".npz", "one.tar", 512, 2),
    Entry("ä", ".png", "one.tar", 1536, 3),
    Entry("Z", ".png", "one.tar", 2560, 4),
]


def test_files_are_found_by_id_and_lie_in_the_order_of_ids():
    index = Index(merged([table_of(FILES)]))
    assert index.find("a") == [FILES[2], FILES[1]]
    assert index.find("b") == [FILES[0]] and index.find("ä") == [FILES[3]]
    assert index.find("") == index.find("aa") == index.find("zz") == []
    assert list(index.names()) == [("Z", ".png"), ("a", ".npz"), ("a", ".png"), ("b", ".png"), ("ä", ".png")]
    assert index.shards() == ["one.tar", "two.tar"]
    assert [entry.offset for entry in index.entries()] == [512, 1536, 2560, 512, 1536]
    assert len(index) == 5


def test_of_files_that_several_name_the_last_counts():
    again = Entry("a", ".png", "three.tar", 512, 9)
    index = Index(merged([table_of(FILES), table_of([again])]))
    assert index.find("a") == [FILES[2], again] and len(index) == 5


def test_an_index_of_nothing():
    index = Index(merged([]))
    assert len(index) == 0 and index.find("a") == index.shards() == list(index.entries()) == []


def test_it_is_read_as_it_was_written_whoever_wrote_strings(tmp_path):
    write_table(tmp_path / INDEX, renamed(merged([table_of(FILES)]), lambda name: f"s3://b/{name}"))
    read = read_index(Store(str(tmp_path)))
    assert read.find("b") == [FILES[0]._replace(shard="s3://b/two.tar")]
    other = pa.table({"length": [4], "id": ["x"], "suffix": [".jpg"], "shard": ["s.tar"], "offset": [512], "more": [1]})
    pq.write_table(other, tmp_path / INDEX)
    assert read_index(Store(str(tmp_path))).find("x") == [Entry("x", ".jpg", "s.tar", 512, 4)]


def test_what_is_said_of_an_index_that_is_missing_or_none(tmp_path):
    store = Store(str(tmp_path))
    with pytest.raises(DataError, match=r"index\.parquet: no such index of shards; .*`mars data index"):
        read_table(store)
    (tmp_path / INDEX).write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match=r"index\.parquet: cannot be read as an index of shards \(.*; `mars data index"):
        read_table(store)
    pq.write_table(pa.table({"id": ["x"]}), tmp_path / INDEX)
    with pytest.raises(DataError, match="cannot be read as an index"):
        read_table(store)


def test_an_index_of_which_a_row_points_nowhere_is_refused_before_it_is_looked_up(tmp_path, monkeypatch):
    write_table(tmp_path / INDEX, table_of(FILES))
    whole = pq.read_table

    def damaged(*args, **options):
        table = whole(*args, **options).unify_dictionaries()
        indices, names = pa.array([9] * len(table), pa.int32()), table["suffix"].chunk(0).dictionary
        column = pa.DictionaryArray.from_arrays(indices, names, safe=False)
        return table.set_column(1, table.schema.field("suffix").with_type(column.type), column)

    monkeypatch.setattr(pq, "read_table", damaged)
    with pytest.raises(DataError, match=r"index\.parquet: cannot be read as an index of shards"):
        read_index(Store(str(tmp_path)))


def test_a_place_may_be_called_by_its_index(tmp_path):
    (tmp_path / INDEX).touch()
    assert is_index(str(tmp_path / INDEX)) and is_index(f"s3://bucket/{INDEX}")
    assert not is_index(str(tmp_path)) and not is_index(str(tmp_path / "nowhere" / INDEX))
