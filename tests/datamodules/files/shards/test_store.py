"""A folder here and in a store are asked alike; what stands between us and a store is one line."""

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import known_implementations

from datamodules.errors import DataError
from datamodules.files.shards.store import Store, StoreError, is_url


@pytest.fixture(params=["here", "store", "url of a path"])
def store(request, tmp_path, bucket):
    return Store({"here": str(tmp_path), "store": bucket, "url of a path": f"file://{tmp_path}/below"}[request.param])


def test_files_are_taken_read_in_part_listed_and_removed(store, tmp_path):
    assert store.sizes() == {}
    (tmp_path / "file.part").write_bytes(b"0123456789")
    store.take(tmp_path / "file.part", "file")
    assert not (tmp_path / "file.part").exists()
    assert store.read("file") == b"0123456789" and store.read("file", 2, 5) == b"234"
    assert store.read("file", 8, 12) == b"89"
    assert store.sizes() == {"file": 10} and store.size("file") == 10
    store.remove("file")
    store.remove("file")
    assert store.sizes() == {}
    with pytest.raises(FileNotFoundError):
        store.read("file")


def test_addresses():
    assert Store("s3://bucket/voc/").address("a.tar") == "s3://bucket/voc/a.tar"
    assert Store("/data").address("s3://bucket/a.tar") == "s3://bucket/a.tar"
    assert is_url("s3://bucket") and not is_url("/data/voc") and not is_url("C:/data")


def test_a_protocol_whose_package_is_missing(monkeypatch):
    known = {"class": "no_such_package.FileSystem", "err": "Install no_such_package to go there"}
    monkeypatch.setitem(known_implementations, "nowhere", known)
    with pytest.raises(
        StoreError, match=r"^nowhere://b/x: .*\(Install no_such_package.*; pip install 'mars-pl\[shards\]'"
    ):
        Store("nowhere://b").read("x")
    with pytest.raises(StoreError, match=r"^nobody://b/x: no such protocol; name a path, or s3://"):
        Store("nobody://b").read("x")


@pytest.mark.parametrize("error", [ConnectionError("no route\nto host"), RuntimeError("AccessDenied"), OSError()])
def test_a_store_that_cannot_be_reached(bucket, monkeypatch, error):
    def fail(*_, **__):
        raise error

    for name in ("cat_file", "ls", "put_file", "rm_file"):
        monkeypatch.setattr(MemoryFileSystem, name, fail)
    store = Store(bucket)
    said = " ".join(str(error).split()) or "OSError"
    for ask in (lambda: store.read("x"), store.sizes, lambda: store.remove("x")):
        with pytest.raises(DataError) as told:
            ask()
        assert "\n" not in str(told.value)
        assert f"cannot be reached ({said}); look at the address, the network and the rights" in str(told.value)


def test_a_disk_s_refusal_stays_what_it_is(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        Store(str(tmp_path / "file")).read("below")
