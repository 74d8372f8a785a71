"""Lists that a folder of one's own will have, counted before they are written."""

from mars_pl.pipeline.planned_lists import planned_lists
from tests.fakes.fake_folder import make_own_folder


def test_the_lists_are_those_that_will_be_written(tmp_path):
    make_own_folder(tmp_path / "own", masks=False)
    before = sorted((tmp_path / "own").rglob("*"))
    assert planned_lists(tmp_path / "own") == {"train": 6, "val": 2}
    (tmp_path / "own/val.txt").unlink()
    assert planned_lists(tmp_path / "own") == {"train": 8}, "a change is seen"
    assert set(before) - set((tmp_path / "own").rglob("*")) == {tmp_path / "own/val.txt"}


def test_another_folder_and_one_at_fault_have_none(tmp_path):
    assert planned_lists(tmp_path) == planned_lists(tmp_path / "nowhere") == {}
    make_own_folder(tmp_path / "own", masks=False)
    (tmp_path / "own/labels.csv").write_bytes(b"\xff\xfe\x00")
    assert planned_lists(tmp_path / "own").get("val") == 2, "the images are there, whatever their labels"
    (tmp_path / "own/classes.txt").write_text("")
    assert planned_lists(tmp_path / "own") == {}
