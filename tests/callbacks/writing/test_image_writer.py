import json
from functools import partial
from types import SimpleNamespace

import pytest

from callbacks.writing.image_writer import ImageWriter
from datamodules.errors import DataError
from tests.fakes.predict_job import Data, files, predict


def write_half(path, number):
    if number < 0:
        raise ValueError("less than nothing")
    path.write_text(str(number / 2))
    return number / 2


class Halves(ImageWriter):
    def image_call(self, prediction, batch, place):
        return partial(write_half, self.folder / f"{batch['id'][0]}.txt", prediction)

    def write_end(self, done, pl_module):
        if any(one.result > 100 for one in done):
            raise DataError("too much")
        (self.folder / "end.json").write_text(json.dumps([[one.id, one.place, one.result] for one in done]))


def numbers(*values):
    """Items in an order that is not that of their names."""
    return [(value, {"id": [f"im{9 - place}"]}) for place, value in enumerate(values)]


ITEMS = numbers(3, 1, 4, 1, 5, 9, 2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    predict(Halves(workers=0), folder, ITEMS)
    return files(folder)


def test_the_end_is_in_the_order_of_the_list_and_no_journal_is_left(whole):
    assert json.loads(whole["end.json"])[:2] == [["im9", 0, 1.5], ["im8", 1, 0.5]]
    assert len(whole) == len(ITEMS) + 1


@pytest.mark.parametrize(("processes", "workers"), [(3, 0), (1, 1)])
def test_processes_and_workers_do_not_show(whole, tmp_path, processes, workers):
    predict([Halves(workers=workers) for _ in range(processes)], tmp_path, ITEMS)
    assert files(tmp_path) == whole


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 2), (3, 1), (2, 3)])
def test_a_job_that_was_broken_off_goes_on(whole, tmp_path, before, after):
    data = Data()
    predict([Halves(workers=0) for _ in range(before)], tmp_path, ITEMS, data, killed_after=4)
    assert "end.json" not in files(tmp_path)
    predict([Halves(workers=0, resume=True) for _ in range(after)], tmp_path, ITEMS, data)
    assert data.left_out == {"im9", "im8", "im7", "im6"}
    assert files(tmp_path) == whole


def test_it_may_be_broken_off_twice_and_begin_with_resume(whole, tmp_path):
    for left, killed_after in ((7, 2), (5, 3), (2, None)):
        data = Data()
        predict(Halves(workers=0, resume=True), tmp_path, ITEMS, data, killed_after=killed_after)
        assert len(ITEMS) - len(data.left_out) == left
    assert files(tmp_path) == whole


def test_an_image_whose_line_was_torn_is_done_again(whole, tmp_path):
    data = Data()
    predict(Halves(workers=0), tmp_path, ITEMS, data, killed_after=4)
    journal = tmp_path / ".done-0.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    predict(Halves(workers=0, resume=True), tmp_path, ITEMS, data)
    assert data.left_out == {"im9", "im8", "im7"}
    assert files(tmp_path) == whole


def test_afresh_all_images_are_done_again(whole, tmp_path):
    data = Data()
    predict([Halves(workers=0) for _ in range(3)], tmp_path, numbers(*[8] * 7), data, killed_after=6)
    predict(Halves(workers=0), tmp_path, ITEMS, data)
    assert data.left_out == set()
    assert files(tmp_path) == whole


def test_a_fault_in_an_image_ends_the_job_and_what_was_done_is_kept(tmp_path):
    data = Data()
    with pytest.raises(ValueError, match="less than nothing"):
        predict(Halves(workers=0), tmp_path, numbers(2, 4, -1), data)
    predict(Halves(workers=0, resume=True), tmp_path, numbers(2, 4, 8), data)
    assert data.left_out == {"im9", "im8"}
    assert len(json.loads((tmp_path / "end.json").read_text())) == 3


def test_a_fault_at_the_end_leaves_what_was_done(tmp_path):
    for _ in range(2):
        with pytest.raises(DataError, match="too much"):
            predict(Halves(workers=0, resume=True), tmp_path, numbers(2, 300))
    assert {".done-0.jsonl", "im9.txt", "im8.txt"} == set(files(tmp_path))


def test_a_sampler_that_hides_its_rows_is_reported(tmp_path):
    writer = Halves(output=str(tmp_path))
    writer.folder = tmp_path
    with pytest.raises(DataError, match="sampler"):
        writer.write_on_batch_end(SimpleNamespace(), None, 1, None, {"id": ["a"]}, 0, 0)


def test_nothing_is_made_for_a_fit(tmp_path):
    Halves(output="labels").setup(SimpleNamespace(default_root_dir=str(tmp_path)), None, "fit")
    assert list(tmp_path.iterdir()) == []
