"""Parts of processes, read as one table: every image once, in the order of ids, however they lie in the files."""

import numpy as np
import pytest

from callbacks.writing.candidates import merged, parts
from callbacks.writing.candidates.merged import MergedParts
from callbacks.writing.journal import read_journals
from tests.callbacks.writing.candidates.drawn import draw_images, write_parts

COLUMNS = ("classes", "clusters", "pixels", "iou", "vectors")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(parts, "IMAGES", 7)
    monkeypatch.setattr(parts, "GROUP", 2)
    monkeypatch.setattr(merged, "WINDOW", 10)


def read(folder):
    """Return ids and candidates as they come out of all windows, and the number of images of each."""
    parts.pack_rest(folder)
    windows = list(MergedParts(parts.parts(folder)).windows())
    ids = [name for window in windows for name in window.ids.to_pylist()]
    owners = [name for window in windows for name in np.array(window.ids.to_pylist())[window.images].tolist()]
    some = [window for window in windows if len(window.classes)] or windows[:1]
    columns = {name: np.concatenate([getattr(window, name) for window in some]) for name in COLUMNS}
    empty = sum(window.empty.tolist().count(8) for window in windows)
    return ids, owners, columns, empty, [len(window.ids) for window in windows]


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_every_image_once_in_the_order_of_ids(tmp_path, processes):
    images = draw_images(0, 44)
    folder = write_parts(tmp_path, images, processes)
    assert len(list(parts.ids_in_parts(folder))) + len(list(read_journals(folder))) == 44
    ids, owners, columns, empty, sizes = read(folder)
    assert list(read_journals(folder)) == []
    wanted = sorted(images)
    assert ids == [name for name, _ in wanted] and sizes == [10, 10, 10, 10, 4]
    assert owners == [name for name, found in wanted for _ in found["classes"]]
    for name in COLUMNS:
        whole = np.concatenate([found[name] for _, found in wanted])
        assert np.array_equal(columns[name], whole, equal_nan=name == "iou"), name
    assert columns["vectors"].dtype == np.float32 and columns["iou"].dtype == np.float64
    assert empty == 11


def test_an_image_that_was_done_twice_counts_once(tmp_path):
    images = draw_images(1, 20)
    once = read(write_parts(tmp_path / "once", images, 1))
    twice = read(write_parts(tmp_path / "twice", [*images, *images[3:15], images[0]], 2))
    assert once[0] == twice[0] and once[1] == twice[1]
    assert np.array_equal(once[2]["vectors"], twice[2]["vectors"])


def test_a_second_job_adds_parts_and_overwrites_none(tmp_path):
    images = draw_images(2, 30)
    write_parts(tmp_path, images[:16], 2)
    first = {path.name: path.read_bytes() for path in parts.parts(tmp_path)}
    write_parts(tmp_path, images[16:], 1)
    assert read(tmp_path)[0] == sorted(name for name, _ in images)
    assert {name: (tmp_path / name).read_bytes() for name in first} == first
    parts.remove_parts(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_images_without_a_candidate(tmp_path):
    nothing = [(name, {**found, **{key: found[key][:0] for key in COLUMNS}}) for name, found in draw_images(3, 25)]
    ids, _, columns, _, _ = read(write_parts(tmp_path / "all", nothing, 2))
    assert len(ids) == 25 and len(columns["classes"]) == 0
    some = draw_images(4, 3, least=1)
    mixed = [(f"a{name}", found) for name, found in nothing] + some
    ids, owners, columns, _, _ = read(write_parts(tmp_path / "mixed", mixed, 2))
    assert len(ids) == 28 and set(owners) == {name for name, _ in some}
    assert columns["vectors"].shape == (len(owners), 4)


def test_no_image_at_all(tmp_path):
    assert len(MergedParts([])) == 0 and list(MergedParts([]).windows()) == []
