"""Image labels in memory, and `image_labels.parquet`."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datamodules.errors import DataError
from datamodules.files.image_ids import ImageIds
from datamodules.files.image_labels import (
    LABEL_TABLE,
    ImageLabels,
    NoLabelError,
    holds,
    open_image_labels,
    read_image_labels,
    table_file,
    write_table,
)
from datamodules.files.image_labels.sparse import LabelBuilder, id_type

NAMES = ("background", "cup", "lamp", "bowl")
SHOWN = {"a": [1, 3], "b": [], "c": [2], "d": [1, 2, 3]}


def built(shown, classes=3):
    builder = LabelBuilder(classes)
    for class_ids in shown:
        builder.add(None if class_ids is None else np.array(class_ids, np.int64))
    return builder.labels()


def rows(labels):
    return [labels[place].tolist() if place in labels else None for place in range(len(labels))]


TYPES = (pa.string(), pa.list_(pa.int32()))


def write(path, ids, classes, names=NAMES, types=TYPES):
    columns = pa.schema([pa.field("id", types[0]), pa.field("classes", types[1])])
    columns = columns.with_metadata({"class_names": json.dumps(names)}) if names else columns
    table = pa.Table.from_arrays([pa.array(ids, types[0]), pa.array(classes, types[1])], schema=columns)
    pq.write_table(table, path, row_group_size=2)


def test_what_is_put_in_comes_out():
    labels = built([[1, 3], [], None, [2, 3]])
    assert rows(labels) == [[1, 3], [], None, [2, 3]] and len(labels) == 4 and labels.known == 3
    assert labels.vector(0).tolist() == [1, 0, 1] and labels.vector(1).tolist() == [0, 0, 0]
    assert labels.counts().tolist() == [1, 1, 2]
    with pytest.raises(KeyError):
        labels[2]


def test_no_image_takes_a_vector():
    labels = built([[1, 19_793]] * 100, 19_793)
    assert id_type(19_793) == np.uint16 and id_type(20) == np.uint8
    assert labels.nbytes == 100 * 2 * 2 + 101 * 4
    assert labels.vector(7).nonzero()[0].tolist() == [0, 19_792]


@pytest.mark.parametrize("group", [1, 2, 100])
def test_a_table_is_read_as_it_was_written(tmp_path, group, monkeypatch):
    monkeypatch.setattr(table_file, "GROUP", group)
    monkeypatch.setattr(table_file, "WINDOW", group)
    labels = built(SHOWN.values())
    write_table(tmp_path / LABEL_TABLE, list(SHOWN), labels, NAMES)
    assert rows(read_image_labels(tmp_path, list(SHOWN), NAMES)) == list(SHOWN.values())
    assert rows(read_image_labels(tmp_path, ImageIds("dca"), NAMES, "parquet")) == [[1, 2, 3], [2], [1, 3]]
    assert pq.read_table(tmp_path / LABEL_TABLE).to_pylist()[0] == {"id": "a", "classes": [1, 3]}
    assert holds(tmp_path / LABEL_TABLE, list(SHOWN), labels, NAMES)
    assert not holds(tmp_path / LABEL_TABLE, list("abc"), built(list(SHOWN.values())[:3]), NAMES)
    assert not holds(tmp_path / LABEL_TABLE, list(SHOWN), built([[1], [], [2], [1, 2, 3]]), NAMES)
    assert not holds(tmp_path / LABEL_TABLE, list(SHOWN), labels, (*NAMES[:2], "vase", "bowl"))


def test_random_labels_come_back_in_the_order_of_any_list(tmp_path, monkeypatch):
    monkeypatch.setattr(table_file, "WINDOW", 37)
    draw = np.random.default_rng(0)
    ids = [f"i{number}" for number in draw.permutation(500)]
    shown = {name: np.unique(draw.integers(1, 900, draw.integers(0, 8))).tolist() for name in ids}
    write_table(tmp_path / LABEL_TABLE, ids, built(shown.values(), 899), ["background", *map(str, range(899))])
    wanted = [ids[place] for place in draw.permutation(500)[:300]]
    labels = read_image_labels(tmp_path, wanted, ["background", *map(str, range(899))])
    assert rows(labels) == [shown[name] for name in wanted]


def test_tables_as_others_write_them(tmp_path):
    wide = (pa.large_string(), pa.large_list(pa.int64()))
    write(tmp_path / LABEL_TABLE, ["a", "b", None, "c"], [[3, 1, 3], [], [1], None], None, wide)
    assert rows(read_image_labels(tmp_path, ["b", "a"], NAMES)) == [[], [1, 3]]
    with pytest.raises(NoLabelError, match="no image label for c"):
        read_image_labels(tmp_path, ["a", "c"], NAMES)


def test_images_without_a_row_are_told(tmp_path):
    write(tmp_path / LABEL_TABLE, ["a", "b"], [[1], [2]])
    with pytest.raises(NoLabelError, match=r"no image label for c and 1 more, its names are like 'a'; add it"):
        read_image_labels(tmp_path, ["c", "b", "d"], NAMES)
    labels, faults = open_image_labels(tmp_path, NAMES)(["c", "b", "d"])
    assert rows(labels) == [None, [2], None] and [fault.image_id for fault in faults] == ["c", "d"]


@pytest.mark.parametrize(
    ("ids", "classes", "fault"),
    [
        (["a", "b"], [[1], [4]], "class 4 of b is none of 1 to 3; write label ids"),
        (["a", "b"], [[0], [1]], "class 0 of a is none of 1 to 3"),
        (["a", "b", "a"], [[1], [1], [1]], "a is there more than once; keep one row"),
        (["b", "a", "a"], [[1], [1], [1]], "a is there more than once; keep one row"),
    ],
)
def test_rows_that_do_not_fit_are_told(tmp_path, ids, classes, fault, monkeypatch):
    monkeypatch.setattr(table_file, "WINDOW", 2)
    write(tmp_path / LABEL_TABLE, ids, classes)
    with pytest.raises(DataError, match=rf"image_labels\.parquet: {fault}"):
        read_image_labels(tmp_path, ["a", "b"], NAMES)


def test_files_that_are_no_such_table_are_told(tmp_path):
    path = tmp_path / LABEL_TABLE
    with pytest.raises(DataError, match=r"image_labels\.parquet: no such file"):
        read_image_labels(tmp_path, ["a"], NAMES, "parquet")
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"no table of image labels \(.*\); remove it and prepare the data again"):
        read_image_labels(tmp_path, ["a"], NAMES)
    pq.write_table(pa.table({"id": ["a"], "classes": ["cup"]}), path)
    with pytest.raises(DataError, match=r"columns id: string, classes: string; write id: string and classes: list"):
        read_image_labels(tmp_path, ["a"], NAMES)
    write(path, ["a"], [[1]], names=[*NAMES[:2], "bowl", "lamp"])
    with pytest.raises(DataError, match="made for other class names or another order"):
        read_image_labels(tmp_path, ["a"], NAMES)


def test_the_largest_ids_of_a_row_belong_to_it_alone():
    labels = ImageLabels(np.array([65_533, 1], np.uint16), np.array([0, 1, 2], np.uint32), 65_533)
    assert labels.vector(0).argmax() == 65_532 and labels.vector(1).argmax() == 0
