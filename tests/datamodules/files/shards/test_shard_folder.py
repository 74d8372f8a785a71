"""A folder of shards answers as the folder did that it was made of, and names what is at fault."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.features import read_features, write_features
from datamodules.files.image_folder import ImageFolder
from datamodules.files.labels import read_label, write_label
from datamodules.files.scores import inspect_scores, read_scores, write_scores
from datamodules.files.shards.index import INDEX
from datamodules.files.shards.place import file_size, names_in, place
from datamodules.files.shards.shard_folder import ShardFolder
from datamodules.files.tree import Tree, read_image
from tests.fakes.file_server import serving
from tests.fakes.shards import packed, put, stored


@pytest.fixture
def folder(tmp_path):
    """Labels, scores and features of three images."""
    folder = tmp_path / "things"
    for number, name in enumerate(("x", "y", "z.2")):
        write_label(folder / f"{name}.png", np.full((3, 4), number, dtype=np.uint8))
        write_scores(folder / f"{name}.npz", np.array([number]), np.full((1, 3, 4), number / 4, dtype=np.float32))
        write_features(folder / f"{name}.npy", np.full((2, 3, 4), number, dtype=np.float32))
    return folder


@pytest.fixture(params=["here", "store", "index here"])
def shards(request, folder, tmp_path, bucket):
    if request.param == "here":
        return place(packed(folder, tmp_path / "packed", 1e-4))
    if request.param == "store":
        return place(f"{packed(folder, bucket, 1e-4)}/{INDEX}")
    packed(folder, bucket, 1e-4, tmp_path / "index")
    return place(tmp_path / "index")


def test_it_holds_what_the_folder_held(shards, folder):
    assert isinstance(shards, ShardFolder) and shards.is_dir()
    assert set(names_in(shards)) == set(names_in(folder)) and len(shards.index.shards()) > 1
    for name in ("x", "y", "z.2"):
        assert (shards / f"{name}.png").is_file() and file_size(shards / f"{name}.png") == file_size(
            folder / f"{name}.png"
        )
        assert (read_label(shards / f"{name}.png", 4) == read_label(folder / f"{name}.png")).all()
        for ours, theirs in zip(read_scores(shards / f"{name}.npz"), read_scores(folder / f"{name}.npz"), strict=True):
            assert torch.equal(ours, theirs)
        assert inspect_scores(shards / f"{name}.npz")[1] == (1, 3, 4)
        assert torch.equal(read_features(shards / f"{name}.npy"), read_features(folder / f"{name}.npy"))


def test_what_the_index_does_not_name(shards):
    assert not (shards / "w.png").is_file() and file_size(shards / "w.png") is None
    with pytest.raises(DataError, match=rf"{INDEX}: w\.png: no such label; is this the right label folder\?"):
        read_label(shards / "w.png")
    with pytest.raises(DataError, match=rf"{INDEX}: w\.npz: no such score file; run the stage"):
        read_scores(shards / "w.npz")
    with pytest.raises(DataError, match=rf"{INDEX}: w\.npy: no such features; make"):
        read_features(shards / "w.npy")
    with pytest.raises(DataError, match=rf"{INDEX}: w\.jpg: no such image; fetch it"):
        read_image(shards.image("w"))


def test_it_goes_to_another_process_without_its_index(shards):
    other = pickle.loads(pickle.dumps(shards))
    assert "index" not in vars(other) and (other / "x.png").is_file()


READERS = [(read_label, "png"), (read_scores, "npz"), (inspect_scores, "npz"), (read_features, "npy")]


@pytest.mark.parametrize(("read", "suffix"), READERS)
def test_a_shard_that_is_missing_or_cut_short(folder, bucket, read, suffix):
    packed(folder, bucket)
    shard = f"{bucket}/things-000000.tar"
    file = place(bucket) / f"z.2.{suffix}"
    content = stored(bucket)["things-000000.tar"]
    for cut in (file.entry.offset + 1, 100):
        put(shard, content[:cut])
        with pytest.raises(
            DataError, match=rf"^{shard}: cut short, z\.2\.{suffix} ends at byte [\d,]+; put it back or"
        ):
            read(file)
    put(shard, None)
    with pytest.raises(DataError, match=rf"^{shard}: no such shard, and {bucket}/{INDEX} names it; put it back or"):
        read(file)


def test_a_store_that_refuses_a_range_behind_the_end(folder, bucket, monkeypatch):
    from fsspec.implementations.memory import MemoryFileSystem

    packed(folder, bucket)
    file = place(bucket) / "x.png"

    def refuse(self, path, start=None, end=None):
        raise ValueError("InvalidRange")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", refuse)
    with pytest.raises(DataError, match=r"cannot be reached \(InvalidRange\)"):
        file.open()
    put(f"{bucket}/things-000000.tar", b"short")
    with pytest.raises(DataError, match="cut short"):
        file.open()


def test_a_server_that_knows_no_ranges(folder, tmp_path):
    packed(folder, tmp_path / "packed")
    files = {path.name: path.read_bytes() for path in (tmp_path / "packed").iterdir()}
    with serving(files, partial=False) as server:
        shards = place(server.address(INDEX))
        with pytest.raises(
            DataError, match="its server sends the whole file for a part; take a store that knows ranges"
        ):
            read_label(shards / "x.png")


def test_the_index_of_a_store_is_missed_at_once(bucket, tmp_path):
    with pytest.raises(DataError, match=rf"^{bucket}/labels/{INDEX}: no such index of shards"):
        Tree(tmp_path).folder(f"{bucket}/labels").is_dir()


def test_shards_without_an_index(folder, tmp_path):
    packed(folder, tmp_path / "packed")
    (tmp_path / "packed" / INDEX).unlink()
    with pytest.raises(
        DataError, match=rf"{INDEX}: no such index, and shards lie there; `mars data index .*packed` writes"
    ):
        place(tmp_path / "packed")


def test_a_folder_of_files_stays_a_path(folder, tmp_path):
    assert place(folder) == folder and place(str(folder)) == folder
    assert place(tmp_path / "nowhere") == tmp_path / "nowhere"


def test_images_of_any_suffix(tmp_path):
    folder = tmp_path / "JPEGImages"
    folder.mkdir()
    for number, name in enumerate(("a.jpg", "b.JPEG", "c.png", "d.webp")):
        Image.new("RGB", (4, 3), (number, 0, 0)).save(folder / name)
    Image.new("RGB", (4, 3)).save(folder / "e.jpg.jpg")
    images = ImageFolder(place(packed(folder, tmp_path / "packed" / "JPEGImages")))
    assert [images.path(name).name for name in "abcd"] == ["a.jpg", "b.JPEG", "c.png", "d.webp"]
    assert images.path("e").is_file()
    tree = Tree(tmp_path / "packed")
    assert read_image(tree.image("c")).shape == (3, 3, 4)
    assert torch.equal(read_image(tree.image("c")), read_image(folder / "c.png"))
