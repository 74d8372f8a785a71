"""The table of candidates read back: kinds, shares, vectors and their plane."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from datamodules.errors import DataError
from mars_pl.commands.report.selection import (
    Candidate,
    candidates_of_classes,
    candidates_of_image,
    plane,
    read_candidates,
    shares,
    two_most_biased,
)
from mars_pl.metrics.target_share import KINDS
from tests.callbacks.writing.candidates.tables import write_table

ROWS = [
    ("a", 0, 0, 70, 0.0, False, None),
    ("a", 1, 0, 10, 0.5, True, 0.31),
    ("a", 2, 1, 9, 0.2, False, 0.3),
    ("b", 2, 0, 8, 0.1, False, 0.09),
    ("c", 2, 0, 8, 0.1, True, None),
]


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path, ("background", "train", "boat", "nobody"), ROWS, np.eye(5))


def test_candidates_and_their_kinds(table):
    candidates = read_candidates(table)
    assert candidates.classes.tolist() == [1, 2, 2, 2]
    assert [KINDS[kind] for kind in candidates.kinds] == ["target", "between", "biased", "unknown"]
    assert candidates.selected.tolist() == [True, False, False, True]
    assert candidates.distances.tolist() == [0.5, 0.2, 0.1, 0.1]
    entries = shares(candidates)
    assert [(entry["name"], entry["before_share"], entry["after_share"]) for entry in entries] == [
        ("train", 1.0, 1.0),
        ("boat", 0.0, None),
    ]
    assert entries[1]["before"] == {"target": 0, "between": 1, "biased": 1, "unknown": 1, "all": 3}


def test_those_of_one_image_and_those_of_a_class_with_their_vectors(table):
    assert candidates_of_image(table, "a") == [
        Candidate("a", "train", 10, 0.5, True, 0.31),
        Candidate("a", "boat", 9, 0.2, False, 0.3),
    ]
    assert [candidate.kind for candidate in candidates_of_image(table, "c")] == ["unknown"]
    assert candidates_of_image(table, "d") == []
    found = candidates_of_classes(table, ["boat", "background"])
    assert [candidate.image_id for candidate, _ in found] == ["a", "b", "c"]
    assert [vector.tolist() for _, vector in found] == np.eye(5)[2:].tolist()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"id,class\na,1\n"])
def test_what_is_no_table_is_told_in_one_line(table, content):
    table.write_bytes(content)
    with pytest.raises(DataError, match="no table of candidates") as caught:
        read_candidates(table)
    assert "\n" not in str(caught.value)


def test_a_table_of_other_columns_or_without_names_is_told(table):
    whole = pq.read_table(table)
    for other in (whole.drop_columns(["selected"]), whole.replace_schema_metadata({})):
        pq.write_table(other, table)
        with pytest.raises(DataError, match="no table of candidates"):
            read_candidates(table)
    pq.write_table(whole.replace_schema_metadata({"class_names": '["background", "train"]'}), table)
    with pytest.raises(DataError, match="a class beyond the 2 that are named"):
        read_candidates(table)


@pytest.mark.parametrize("names", ['["background", "a", "b", NaN]', '["background", "a", "a", "b"]', '{"a": 1}'])
def test_names_that_are_none_are_told(table, names):
    pq.write_table(pq.read_table(table).replace_schema_metadata({"class_names": names}), table)
    with pytest.raises(DataError, match="no list of class names"):
        read_candidates(table)


def test_a_column_that_is_shorter_than_its_table_is_told(table, monkeypatch):
    whole = pq.ParquetFile.iter_batches
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda *told, **more: (b[:2] for b in whole(*told, **more)))
    for read in (lambda: read_candidates(table), lambda: candidates_of_classes(table, ["boat"])):
        with pytest.raises(DataError, match="of 5 rows 2 are whole"):
            read()


def test_the_two_most_biased_classes_have_enough_candidates():
    def entry(name, targets, biased):
        return {"name": name, "before": {"all": targets + biased}, "before_share": targets / (targets + biased)}

    entries = [entry("few", 0, 2), entry("good", 9, 1), entry("bad", 2, 8), entry("middle", 5, 5)]
    assert two_most_biased(entries) == ["bad", "middle"]


def test_plane_keeps_the_distances_of_points_in_a_plane():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(20, 2)) * (3, 1)
    turned = flat @ np.linalg.qr(rng.normal(size=(7, 7)))[0][:2] + 5

    def between(points):
        return np.linalg.norm(points[:, None] - points[None], axis=-1)

    np.testing.assert_allclose(between(plane(turned)), between(flat), atol=1e-5)
    np.testing.assert_allclose(plane(turned), plane(turned[:, ::-1]), atol=1e-5)
    assert plane(np.ones((1, 3), np.float32)).shape == (1, 2)
