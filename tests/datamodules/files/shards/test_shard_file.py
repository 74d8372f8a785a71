"""Shards are plain tars whose layout is known beforehand; WebDataset reads them, and we read WebDataset's."""

import tarfile

import numpy as np
import pytest
import webdataset

from datamodules.errors import DataError
from datamodules.files.shards.shard_file import MIB, Member, in_shards, layout, read_entries, write_shard
from datamodules.files.shards.store import Store

LONG = "an id of a hundred and fifty letters and more ".replace(" ", "-") * 4


def member(folder, name, size, seed=0):
    image_id, dot, suffix = name.rpartition(".")
    path = folder / name
    path.write_bytes(np.random.default_rng(seed).bytes(size))
    return Member(image_id, f"{dot}{suffix}", path, size)


@pytest.fixture
def members(tmp_path):
    names = {"a.jpg": 0, "b.jpg": 1, "c.jpg": 512, "d.png": 513, f"{LONG}.png": 40, "ünï.png": 5000}
    return [member(tmp_path, name, size, seed) for seed, (name, size) in enumerate(names.items())]


def test_the_layout_is_where_the_bytes_are(members, tmp_path):
    shard = tmp_path / "x-000000.tar"
    write_shard(shard, members)
    entries, size = layout(members, shard.name)
    content = shard.read_bytes()
    assert len(content) == size
    for one, entry in zip(members, entries, strict=True):
        assert content[entry.offset : entry.offset + entry.length] == one.path.read_bytes()
    assert list(read_entries(Store(str(tmp_path)), shard.name)) == entries
    with tarfile.open(shard) as archive:
        assert archive.getnames() == [one.path.name for one in members]


def test_the_same_files_give_the_same_shard(members, tmp_path):
    write_shard(tmp_path / "one.tar", members)
    members[1].path.touch()
    write_shard(tmp_path / "two.tar", members)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_webdataset_reads_them(members, tmp_path):
    write_shard(tmp_path / "x-000000.tar", members)
    samples = list(webdataset.WebDataset(str(tmp_path / "x-000000.tar"), shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == ["a", "b", "c", "d", LONG, "ünï"]
    assert samples[2]["jpg"] == members[2].path.read_bytes() and samples[5]["png"] == members[5].path.read_bytes()


def test_what_webdataset_wrote_has_an_index(tmp_path):
    with webdataset.TarWriter(str(tmp_path / "w.tar"), encoder=False) as writer:
        writer.write({"__key__": "train/x", "jpg": b"picture", "png": b"mask"})
    found = {(one.id, one.suffix): one for one in read_entries(Store(str(tmp_path)), "w.tar")}
    content = (tmp_path / "w.tar").read_bytes()
    assert sorted(found) == [("x", ".jpg"), ("x", ".png")]
    jpg = found["x", ".jpg"]
    assert content[jpg.offset : jpg.offset + jpg.length] == b"picture"


def test_shards_are_bounded_and_images_are_not_parted(tmp_path):
    sizes = {"a.png": 300, "b.npz": 300, "b.png": 300, "c.png": 900, "d.png": 100}
    members = [member(tmp_path, name, size) for name, size in sizes.items()]
    parted = [[one.path.name for one in shard] for shard in in_shards(members, 600 / MIB)]
    assert parted == [["a.png", "b.npz", "b.png"], ["c.png"], ["d.png"]]
    assert list(in_shards([], 1)) == []


def test_a_file_that_changes_meanwhile(members, tmp_path):
    members[3].path.write_bytes(b"shorter")
    with pytest.raises(DataError, match=r"d\.png: was changed while it was packed"):
        write_shard(tmp_path / "x.tar", members)


@pytest.mark.parametrize("harm", [lambda content: content[:3000], lambda content: b"no tar" * 200, lambda _: b""])
def test_heads_of_what_is_no_whole_tar(members, tmp_path, harm):
    write_shard(tmp_path / "x.tar", members)
    (tmp_path / "x.tar").write_bytes(harm((tmp_path / "x.tar").read_bytes()))
    with pytest.raises(DataError, match=r"x\.tar: no plain tar file \(.*\); put it back or leave it out"):
        list(read_entries(Store(str(tmp_path)), "x.tar"))
