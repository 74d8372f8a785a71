import numpy as np
import pytest

from callbacks.writing.journal import AllDone, Done, Journal, read_journals, remove_journals


def write(folder, rank, *done):
    journal = Journal(folder, rank)
    for one in done:
        journal.append(one)
    journal.close()
    return folder / f".done-{rank}.jsonl"


def ids(folder):
    return [done.id for done in read_journals(folder)]


@pytest.mark.parametrize(
    "array",
    [
        np.array([0.1, np.nan, -0.0, 1e-45], dtype=np.float32),
        np.arange(6, dtype=np.int64).reshape(3, 2)[:, ::-1],
        np.zeros((0, 5), dtype=np.float64),
    ],
)
def test_arrays_come_back_bit_for_bit(tmp_path, array):
    write(tmp_path, 0, Done("trip/é@3", 7, {"counts": [array, None], "empty": [2, 3]}))
    [done] = read_journals(tmp_path)
    found = done.result["counts"][0]
    assert (done.id, done.place, done.result["empty"], done.result["counts"][1]) == ("trip/é@3", 7, [2, 3], None)
    assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert found.flags.writeable


def test_what_is_neither_number_nor_array_is_refused(tmp_path):
    with pytest.raises(TypeError, match="not set"):
        write(tmp_path, 0, Done("a", 0, {1}))


@pytest.mark.parametrize("cut", [1, 2, 20])
def test_a_torn_line_is_left_out_and_the_next_process_writes_after_it(tmp_path, cut):
    path = write(tmp_path, 0, Done("a", 0, None), Done("b", 1, np.ones(3)))
    path.write_bytes(path.read_bytes()[:-cut])
    kept = ["a", "b"] if cut == 1 else ["a"]  # only the end of the line is gone
    assert ids(tmp_path) == kept
    write(tmp_path, 0, Done("c", 2, None))
    assert ids(tmp_path) == [*kept, "c"]


def test_the_journals_of_all_processes_are_read_and_removed(tmp_path):
    for rank in (10, 0, 2):
        write(tmp_path, rank, Done(str(rank), rank, rank / 7))
    (tmp_path / "a.png").touch()
    assert {done.id: done.result for done in read_journals(tmp_path)} == {"0": 0.0, "10": 10 / 7, "2": 2 / 7}
    remove_journals(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_damaged_line_is_left_out_wherever_the_damage_lies(tmp_path):
    path = write(
        tmp_path, 0, Done("a", 0, None), Done("b", 1, {"counts": np.arange(3), "sum": 0.5}), Done("c", 2, None)
    )
    content = path.read_bytes()
    begin, end = content.index(b"\n") + 1, content.rindex(b"\n", 0, -1)
    for place in range(begin, end):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert ids(tmp_path) == ["a", "c"]
    path.write_bytes(b'\n[]\n{"id": "a"}\nnull\n\xff\xfe\n' + content)
    assert ids(tmp_path) == ["a", "b", "c"]


def test_all_that_is_done_comes_once_and_in_the_order_of_the_list(tmp_path):
    path = write(tmp_path, 0, Done("d", 3, np.ones(2)), Done("b", 1, "first"), Done("torn", 2, None))
    path.write_bytes(path.read_bytes()[:-9])
    write(tmp_path, 1, Done("a", 0, None), Done("c", 2, {"é": [1]}))
    write(tmp_path, 2, Done("b", 1, "last"))
    done = AllDone(tmp_path)
    assert len(done) == 4 and [one.id for one in done] == list("abcd") == [one.id for one in done]
    assert [one.result for one in done][1:3] == ["last", {"é": [1]}]
    assert len(AllDone(tmp_path / "nothing")) == 0 and list(AllDone(tmp_path / "nothing")) == []
