import pickle
import subprocess
import sys

import numpy as np
import pytest

from datamodules.files.image_ids import IdTable, ImageIds, as_image_ids, each_once, places_of, repeated

NAMES = ["b", "a", "größe", "", "2007_000063", "odd \udc80 name"]


def test_ids_are_the_strings_that_they_were_made_of():
    ids = ImageIds(NAMES)
    assert ids == NAMES and ids == NAMES and list(ids) == NAMES and len(ids) == 6
    assert ids[2] == "größe" and ids[-1] == NAMES[-1] and ids[np.int64(1)] == "a"
    assert "a" in ids and "c" not in ids and ids.index("größe") == 2
    assert ids != NAMES[:-1] and ids != [*NAMES[:-1], "x"] and ids != "baab"
    assert not ImageIds() and list(ImageIds()) == []
    with pytest.raises(IndexError):
        ids[6]


def test_parts_of_a_list():
    ids = ImageIds(NAMES)
    assert ids[1:3] == NAMES[1:3] and ids[:2][1] == "a" and ids[4:2] == [] and ids[::-1] == NAMES[::-1]
    assert list(ids[3:]) == NAMES[3:] and ids[1:4][1:] == NAMES[2:4]


def test_more_ids_than_are_gone_through_at_once():
    many = [f"image{number}" for number in range(10_000)]
    assert list(ImageIds(many)) == many
    assert ImageIds(many).nbytes == sum(map(len, many)) + 8 * 10_001


def test_ids_go_to_other_processes_and_to_arrow():
    ids = ImageIds(NAMES[:5])
    assert pickle.loads(pickle.dumps(ids)) == ids
    assert ids.arrow().to_pylist() == NAMES[:5] and ids[2:].arrow().to_pylist() == NAMES[2:5]
    assert as_image_ids(ids) is ids and as_image_ids(iter("ab")) == ["a", "b"]


def test_names_that_come_twice():
    names = ["a", "b", "c", "b", "a", "b"]
    assert repeated(names).tolist() == [0, 1, 3, 4, 5]
    assert repeated(["a", "b"]).tolist() == [] == repeated([]).tolist()
    assert each_once(names) == ["a", "b", "c"] and each_once([]) == []


def test_places_of_those_that_are_wanted():
    assert places_of(["c", "x", "a"], ImageIds("abc")).tolist() == [0, 2]
    assert places_of([], ["a"]).tolist() == []


def test_a_table_answers_as_a_dict_does():
    table = IdTable([("b", "1"), ("a", "2"), ("b", "3"), ("\ud800", "4")])
    assert table["b"] == "1" and table["a"] == "2" and table["\ud800"] == "4", "the first of two counts"
    assert table.get("c") is None and "a" in table and "c" not in table
    assert list(IdTable([("x", "1"), ("y", "2")]).items()) == [("x", "1"), ("y", "2")] and not IdTable([])


def test_a_table_is_found_in_by_a_process_whose_strings_have_other_hashes(tmp_path):
    (tmp_path / "table").write_bytes(pickle.dumps(IdTable((f"i{number}", str(number)) for number in range(50))))
    code = f"import pickle; t = pickle.load(open({str(tmp_path / 'table')!r}, 'rb')); print(t['i0'], t['i49'])"
    for seed in "12":
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "0 49"
