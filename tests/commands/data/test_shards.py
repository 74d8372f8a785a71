"""`mars data shards`, `unpack` and `index`: there and back, broken off, and what is refused."""

import shutil

import pytest

from datamodules.files.shards.index import INDEX, read_index
from datamodules.files.shards.store import Store
from mars_pl.cli.main import main
from tests.fakes.fake_folder import make_own_folder
from tests.fakes.fake_tree import make_voc_tree
from tests.fakes.predict_job import files
from tests.fakes.shards import put, stored

SMALL = ("--size", "0.01")


@pytest.fixture
def voc(tmp_path):
    make_voc_tree(tmp_path / "voc", 8, image_labels="npy", pseudo="Pseudo")
    return tmp_path / "voc"


def said(capsys, *words):
    """The code of a command and the last line that it printed."""
    code = main([*map(str, words)])
    told = capsys.readouterr()
    return code, (told.err or told.out).strip().splitlines()[-1]


def test_a_data_set_and_back(voc, tmp_path, capsys):
    assert main(["data", "shards", str(voc), str(tmp_path / "packed"), *SMALL]) == 0
    assert f"{tmp_path}/packed/JPEGImages: 3 shards" in capsys.readouterr().out
    for name in ("JPEGImages", "SegmentationClass", "SegmentationClassAug", "Pseudo"):
        assert main(["data", "unpack", str(tmp_path / "packed" / name), str(tmp_path / "back" / name)]) == 0
        shutil.rmtree(tmp_path / "packed" / name)
    shutil.copytree(tmp_path / "packed", tmp_path / "back", dirs_exist_ok=True)
    assert files(tmp_path / "back") == files(voc)


def test_no_fault_is_found_in_a_packed_data_set(voc, tmp_path, bucket, capsys):
    assert main(["data", "shards", str(voc), bucket, "--index", str(tmp_path / "lists")]) == 0
    assert main(["check", "data", str(tmp_path / "lists"), "--data", "voc"]) == 0
    assert "8 images, 8 with masks, nothing is wrong" in capsys.readouterr().out
    assert main(["check", "labels", str(tmp_path / "lists/Pseudo"), "--data", "voc", "--root", str(voc)]) == 0
    put(f"{bucket}/JPEGImages/JPEGImages-000000.tar", b"")
    assert main(["check", "data", str(tmp_path / "lists"), "--data", "voc"]) == 1
    assert "broken shard: 8" in capsys.readouterr().out


def test_a_folder_of_one_s_own(tmp_path, capsys):
    make_own_folder(tmp_path / "own")
    assert main(["data", "folder", str(tmp_path / "own")]) == 0
    assert main(["data", "shards", str(tmp_path / "own"), str(tmp_path / "packed")]) == 0
    assert not (tmp_path / "packed/images.json").exists()
    assert main(["check", "data", str(tmp_path / "own"), "--data", "folder"]) == 0
    assert "own: 8 images, 8 with masks" in capsys.readouterr().out
    assert main(["check", "data", str(tmp_path / "packed"), "--data", "folder"]) == 0
    assert "packed: 8 images, 8 with masks" in capsys.readouterr().out
    assert main(["data", "folder", str(tmp_path / "packed")]) == 0, "there is nothing to prepare"


def test_what_was_broken_off_goes_on(voc, tmp_path, bucket, monkeypatch):
    words = ["data", "shards", str(voc / "JPEGImages"), bucket, *SMALL]
    taken = []

    def take(self, file, name):
        taken.append(name)
        if len(taken) == 2:
            raise KeyboardInterrupt
        real(self, file, name)

    real = Store.take
    monkeypatch.setattr(Store, "take", take)
    assert main(words) == 130
    assert list(stored(bucket)) == ["JPEGImages-000000.tar"]
    assert main(words) == 0
    assert taken[2:] == ["JPEGImages-000001.tar", "JPEGImages-000002.tar", INDEX]
    whole = stored(bucket)
    put(f"{bucket}/JPEGImages-000001.tar", b"short")
    assert main(words) == 0
    assert stored(bucket)["JPEGImages-000001.tar"] == whole["JPEGImages-000001.tar"]
    assert main(["data", "unpack", bucket, str(tmp_path / "back")]) == 0
    (tmp_path / "back/2007_000002.jpg").write_bytes(b"short")
    assert main(["data", "unpack", f"{bucket}/{INDEX}", str(tmp_path / "back")]) == 0
    assert files(tmp_path / "back") == files(voc / "JPEGImages")


def test_an_index_is_written_anew(voc, bucket, tmp_path):
    assert main(["data", "shards", str(voc / "JPEGImages"), bucket, *SMALL]) == 0
    before = list(read_index(Store(bucket)).entries())
    put(f"{bucket}/{INDEX}", None)
    assert main(["data", "index", bucket, "--index", str(tmp_path / "here")]) == 0
    assert list(read_index(Store(bucket)).entries()) == before
    assert read_index(Store(str(tmp_path / "here"))).shards()[0] == f"{bucket}/JPEGImages-000000.tar"


def test_what_is_refused(voc, tmp_path, bucket, capsys):
    images = voc / "JPEGImages"
    assert said(capsys, "data", "shards", images, images)[1].endswith("name another folder for their shards")
    assert "no such folder" in said(capsys, "data", "shards", tmp_path / "nowhere", bucket)[1]
    assert "holds no image, mask or scores" in said(capsys, "data", "shards", voc / "ImageSets", bucket)[1]
    assert "--index: lists and indexes of a data set in a store" in said(capsys, "data", "shards", voc, bucket)[1]
    assert "--size 0.0: a shard holds nothing" in said(capsys, "data", "shards", images, bucket, "--size", "0")[1]
    put(f"{bucket}/other-000000.tar", b"")
    code, line = said(capsys, "data", "shards", images, bucket)
    assert code == 1 and line.endswith("other-000000.tar: is a shard of other files; name another place, or remove it")
    assert "holds no .tar; name the folder of the shards" in said(capsys, "data", "index", tmp_path / "voc")[1]
    (images / "2007_000001.png").write_bytes((voc / "Pseudo/2007_000001.png").read_bytes())
    assert "has the id of" in said(capsys, "data", "shards", images, tmp_path / "packed")[1]
    (images / "2007_000001.jpg").unlink()
    (images / "2007_000001.png").unlink()
    assert "2007_000001.jpg: no such image" in said(capsys, "data", "shards", voc, tmp_path / "packed")[1]


def test_an_id_that_leads_out_of_the_folder(voc, tmp_path, capsys):
    from datamodules.files.shards.index import Entry, table_of, write_table

    (tmp_path / "evil").mkdir()
    write_table(tmp_path / "evil" / INDEX, table_of([Entry("../../out", ".png", "x.tar", 0, 3)]))
    code, line = said(capsys, "data", "unpack", tmp_path / "evil", tmp_path / "back")
    assert code == 1 and "would lie outside" in line and not (tmp_path.parent / "out.png").exists()
