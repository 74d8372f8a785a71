import hashlib

import pytest

from datamodules.errors import DataError
from datamodules.prepare import download
from datamodules.prepare.download import fetch
from tests.fakes.file_server import serving

CONTENT = bytes(range(256)) * 40
SUM = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(download, "PIECE", 1000)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "a.tar"


def only(target):
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert target.read_bytes() == CONTENT


def test_a_file_is_fetched_once(target):
    with serving({"a.tar": CONTENT}) as server:
        fetch(server.address("a.tar"), target, SUM)
        fetch(server.address("a.tar"), target, SUM)
        assert server.ranges == [None]
    only(target)


def test_a_file_on_this_machine(tmp_path, target):
    (tmp_path / "b").write_bytes(CONTENT)
    fetch((tmp_path / "b").as_uri(), target, SUM)
    only(target)


@pytest.mark.parametrize("partial", [True, False])
def test_what_was_broken_off_goes_on(target, partial):
    with serving({"a.tar": CONTENT}, partial) as server:
        server.breaks = [3000, 2000]
        for _ in range(2 if partial else 1):
            with pytest.raises(DataError, match=r"a\.tar: broken off after .* bytes; the same command goes on"):
                fetch(server.address("a.tar"), target, SUM)
            assert not target.exists()
        server.breaks = []
        fetch(server.address("a.tar"), target, SUM)
        assert server.ranges == ([None, "bytes=3000-", "bytes=5000-"] if partial else [None, "bytes=3000-"])
    only(target)


def test_a_whole_part_is_only_summed(target):
    target.parent.mkdir()
    target.with_name("a.tar.part").write_bytes(CONTENT)
    with serving({"a.tar": CONTENT}) as server:
        fetch(server.address("a.tar"), target, SUM)
    only(target)


def test_another_sum_leaves_nothing(target):
    complaint = rf"a\.tar: md5 [0-9a-f]+, not {SUM}: damaged or another file; try again"
    with serving({"a.tar": CONTENT[:-1] + b"x"}) as server, pytest.raises(DataError, match=complaint):
        fetch(server.address("a.tar"), target, SUM)
    assert list(target.parent.iterdir()) == []


def test_an_old_file_with_another_sum_is_replaced(target):
    target.parent.mkdir()
    target.write_bytes(b"old")
    with serving({"a.tar": CONTENT}) as server:
        fetch(server.address("a.tar"), target, SUM)
    only(target)


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("{server}/other", "404 Not Found; name another address"),
        ("http://127.0.0.1:9/a.tar", "refused.*; the same command goes on"),
        ("file:///nowhere/a.tar", "No such file.*"),
        ("a.tar", r"no address \(.*\); begin it with https:// or file://"),
    ],
)
def test_what_cannot_be_reached_is_one_line(target, address, complaint):
    with serving({}) as server, pytest.raises(DataError, match=complaint) as caught:
        fetch(address.format(server=server.address("").rstrip("/")), target, SUM)
    assert "\n" not in str(caught.value)
    assert list(target.parent.iterdir()) == []


def test_a_full_disk_is_one_line(target, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download, "_copy", full)
    complaint = r"new: No space left on device; .* needs space and leave to write"
    with serving({"a.tar": CONTENT}) as server, pytest.raises(DataError, match=complaint):
        fetch(server.address("a.tar"), target, SUM)
    assert not target.exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "new").write_text("a file")
    with pytest.raises(DataError, match=r"new: .*exists|new.*Not a directory"):
        fetch("http://127.0.0.1:9/a", tmp_path / "new" / "a.tar", SUM)
