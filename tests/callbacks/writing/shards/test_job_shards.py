"""Label files of a job as shards: the same bytes whatever processes there were, and wherever it was killed."""

import pytest

from callbacks.writing.image_writer import ImageWriter
from datamodules.errors import DataError
from datamodules.files.shards.index import INDEX
from datamodules.files.shards.place import place
from datamodules.files.shards.store import Store
from tests.callbacks.writing.shards.words import Words, labels_of
from tests.fakes.predict_job import Data, files, predict
from tests.fakes.shards import put, stored

ITEMS = [(f"what is said of {number}" * 40, {"id": [f"im{9 - number}"]}) for number in range(8)]
SIZE = 3.5e-3
"""MiB: three images fill a shard."""

WHOLE = {
    name: content
    for words, batch in ITEMS
    for name, content in (
        (f"{batch['id'][0]}.png", words.encode()),
        (f"{batch['id'][0]}.npz", words[::-1].encode()),
    )
}


@pytest.fixture(params=["here", "store"])
def where(request, bucket):
    return "here" if request.param == "here" else bucket


def writers(where, count=1, **options):
    return [Words(shards=where, shard_size=SIZE, **options) for _ in range(count)]


def left(folder):
    """Names of what lies in the job's folder beside shards."""
    return {name for name in files(folder) if not name.endswith(".tar")}


def check_whole(folder, where):
    """The labels are those of files, and nothing is left but the shards, their index and the end."""
    assert labels_of(folder) == WHOLE
    assert left(folder) == {"end.txt", f"labels/{INDEX}"}
    if where != "here":
        there = place(f"{where}/labels")
        assert {name: (there / name).open("rb").read() for name in there.names()} == WHOLE
        assert not [name for name in files(folder) if name.endswith(".tar")]
        assert set(stored(f"{where}/labels")) == {*there.index.shards(), INDEX}


@pytest.mark.parametrize("count", [1, 3])
def test_the_same_bytes_as_in_files(tmp_path, where, count):
    predict(Words(), tmp_path / "files", ITEMS)
    predict(writers(where, count), tmp_path / "shards", ITEMS)
    assert files(tmp_path / "files") == {"end.txt": (tmp_path / "shards/end.txt").read_bytes()} | {
        f"labels/{name}": content for name, content in WHOLE.items()
    }
    check_whole(tmp_path / "shards", where)
    ranks = {shard.rsplit("shard-", 1)[-1][0] for shard in place(tmp_path / "shards/labels").index.shards()}
    assert ranks == {str(rank) for rank in range(count)}, "each process has its own"
    if count == 1:
        assert len(place(tmp_path / "shards/labels").index.shards()) == 3


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 2), (3, 1)])
@pytest.mark.parametrize("killed_after", [2, 7])
def test_killed_and_resumed(tmp_path, where, before, after, killed_after):
    predict(writers(where, before), tmp_path, ITEMS, killed_after=killed_after)
    assert not (tmp_path / "labels" / INDEX).exists()
    data = Data()
    predict(writers(where, after, resume=True), tmp_path, ITEMS, data)
    assert len(data.left_out) == killed_after
    check_whole(tmp_path, where)


STEPS = ["a shard is written", "its table is written", "it has moved", "a file is removed", "the index is written"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_of_packing(tmp_path, where, step, monkeypatch):
    """What is left of a step that was broken off is finished or done again; nothing is lost, nothing there twice."""

    class Killed(BaseException):
        pass

    import callbacks.writing.shards.shard_output as output

    with monkeypatch.context() as patch:
        if step == "a shard is written":
            patch.setattr(output, "write_table", _kill(Killed))
        elif step == "its table is written":
            patch.setattr(Store, "take", _kill(Killed))
        elif step == "it has moved":
            patch.setattr("pathlib.Path.unlink", _kill_at(Killed, ".png", "pathlib.Path.unlink"))
        elif step == "a file is removed":
            patch.setattr("pathlib.Path.unlink", _kill_at(Killed, ".png", "pathlib.Path.unlink", first=False))
        else:
            patch.setattr("pathlib.Path.unlink", _kill_at(Killed, ".parquet", "pathlib.Path.unlink", first=False))
        with pytest.raises(Killed):
            predict(writers(where), tmp_path, ITEMS)
    predict(writers(where, resume=True), tmp_path, ITEMS, Data())
    check_whole(tmp_path, where)


def _kill(error):
    def kill(*_, **__):
        raise error

    return kill


def _kill_at(error, suffix, name, first=True):
    """Remove a path, but for the first (or second) of a suffix."""
    import pathlib

    real, seen = pathlib.Path.unlink, []

    def unlink(path, missing_ok=False):
        if path.suffix == suffix and path.exists():
            seen.append(path)
            if len(seen) == (1 if first else 2):
                raise error
        real(path, missing_ok=missing_ok)

    return unlink


def test_a_store_that_lost_a_shard_on_its_way(tmp_path, bucket):
    predict(writers(bucket), tmp_path, ITEMS, killed_after=2)  # nothing is packed yet
    with pytest.raises(DataError, match="cannot be reached"):
        predict(writers(bucket, resume=True), tmp_path, ITEMS, _failing(bucket))
    put(f"{bucket}/labels/shard-0-000000.tar", b"half of it")
    predict(writers(bucket, resume=True), tmp_path, ITEMS, Data())
    check_whole(tmp_path, bucket)


def _failing(bucket):
    """Data whose job finds no way to the store at its first shard."""
    from fsspec.implementations.memory import MemoryFileSystem

    real = MemoryFileSystem.put_file

    class Once(Data):
        def leave_out(self, ids):
            super().leave_out(ids)

            def fail(*_, **__):
                MemoryFileSystem.put_file = real
                raise ConnectionError("no route")

            MemoryFileSystem.put_file = fail

    return Once()


def test_afresh_replaces_the_shards_of_the_job_before(tmp_path, where):
    predict(writers(where, 3), tmp_path, ITEMS)
    others = [(words.upper(), batch) for words, batch in ITEMS[:4]]
    predict(writers(where), tmp_path, others)
    assert labels_of(tmp_path)["im9.png"] == ITEMS[0][0].upper().encode() and len(labels_of(tmp_path)) == 8
    if where != "here":
        assert len(stored(f"{where}/labels")) == len(place(tmp_path / "labels").index.shards()) + 1


def test_the_shards_of_another_job_are_left_alone(tmp_path, bucket):
    predict(writers(bucket), tmp_path / "one", ITEMS)
    before = stored(bucket)
    with pytest.raises(DataError, match=r"labels/index\.parquet: is another job's; set the writer's shards to another"):
        predict(writers(bucket), tmp_path / "two", ITEMS)
    assert stored(bucket) == before


def test_files_are_not_written_beside_an_index_that_hides_them(tmp_path):
    predict(writers("here"), tmp_path, ITEMS)
    with pytest.raises(DataError, match=r"labels/index\.parquet: shards lie here and files are asked for"):
        predict(Words(), tmp_path, ITEMS)


@pytest.mark.parametrize(("settings", "said"), [
    ({"shards": "there"}, "shards: there is neither `here` nor a URL"),
    ({"shards": "here", "shard_size": 0}, "shard_size: 0 MiB hold nothing"),
])  # fmt: skip
def test_settings_that_are_none(tmp_path, settings, said):
    with pytest.raises(DataError, match=said):
        predict(Words(**settings), tmp_path, ITEMS)


def test_a_job_without_files_of_images(tmp_path):
    class End(ImageWriter):
        def image_call(self, prediction, batch, place):
            raise AssertionError

        def write_end(self, done, pl_module):
            raise AssertionError

    with pytest.raises(DataError, match="shards: this job writes no file for every image; leave shards out"):
        predict(End(workers=0, shards="here"), tmp_path, ITEMS)
