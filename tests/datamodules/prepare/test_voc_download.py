import tarfile

import numpy as np
import pytest
from scipy.io import savemat

from datamodules.errors import DataError
from datamodules.files.labels import read_label
from datamodules.files.tree import Tree
from datamodules.prepare.sbd import read_sbd_mask
from datamodules.prepare.voc import unpack
from datamodules.prepare.voc_download import SBD_ARCHIVE, VOC_ARCHIVE, Archive
from datamodules.voc import VOC
from mars_pl.cli.main import main
from tests.fakes.fake_archives import TEST_IDS, make_archives, md5
from tests.fakes.file_server import serving

IDS = [f"2007_{number:06d}" for number in range(1, 9)]


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return make_archives(tmp_path_factory.mktemp("archives"))


@pytest.fixture
def server(archives):
    with serving({path.name: path.read_bytes() for path in archives}) as running:
        yield running


@pytest.fixture
def download(archives, server, tmp_path):
    voc, sbd, _ = archives

    def run(*words, voc_md5=None, sbd_md5=None):
        sources = ["--voc", server.address(voc.name), "--voc-md5", voc_md5 or md5(voc)]
        sources += ["--sbd", server.address(sbd.name), "--sbd-md5", sbd_md5 or md5(sbd)]
        return main(["data", "voc", str(tmp_path / "voc"), *sources, *map(str, words)])

    return run


def test_the_sums_are_those_that_torchvision_documents():
    assert Archive(VOC_ARCHIVE.address, "6cd6e144f989b92b3379bac3b3de84fd") == VOC_ARCHIVE
    assert Archive(SBD_ARCHIVE.address, "82b4d87ceb2ed10f6038a1cba92111cb") == SBD_ARCHIVE
    assert (VOC_ARCHIVE.name, SBD_ARCHIVE.name) == ("VOCtrainval_11-May-2012.tar", "benchmark.tgz")


def test_train_aug_is_sbd_and_vocs_train_without_vocs_val(download, archives, tmp_path, capsys):
    assert download() == 0
    told = "2 images in train, 6 images in train_aug, 4 images in trainval, 2 images in val"
    assert capsys.readouterr().out == f"{tmp_path}/voc: {told}\n"
    tree = Tree(tmp_path / "voc")
    assert (tree.ids("train_aug"), tree.ids("train"), tree.ids("val")) == (IDS[:6], IDS[:2], IDS[6:])
    augmented = tmp_path / "voc" / "SegmentationClassAug"
    assert sorted(path.stem for path in augmented.iterdir()) == IDS
    for image_id in (*IDS[:2], *IDS[6:]):  # VOC's own, with its border of 255
        own = tmp_path / "voc" / "SegmentationClass" / f"{image_id}.png"
        assert (augmented / own.name).read_bytes() == own.read_bytes()
        assert 255 in read_label(own)
    for image_id in IDS[2:6]:
        mat = archives[1].parent / "sbd" / "cls" / f"{image_id}.mat"
        assert np.array_equal(read_label(augmented / f"{image_id}.png"), read_sbd_mask(mat))
    assert [path.name for path in tmp_path.iterdir()] == ["voc"]


def test_every_stage_can_read_it(download, tmp_path):
    download()
    module = VOC(str(tmp_path / "voc"), workers=0, batch_size=2, label_folder="SegmentationClassAug")
    for stage in ("fit", "validate", "predict"):
        module.setup(stage)
    assert [batch["id"][0] for batch in module.predict_dataloader()] == IDS[:6]


def test_the_servers_test_images_join(download, archives, tmp_path):
    assert download("--test", archives[2]) == 0
    tree = Tree(tmp_path / "voc")
    assert tree.ids("test") == list(TEST_IDS)
    assert all(tree.image(image_id).is_file() for image_id in TEST_IDS)


def test_a_broken_download_goes_on_and_archives_can_be_kept(download, server, tmp_path, capsys):
    server.breaks = [5000]
    assert download("--keep", "--downloads", tmp_path / "kept") == 1
    error = capsys.readouterr().err
    assert "VOCtrainval_11-May-2012.tar: broken off after 5,000 of" in error and error.count("\n") == 1
    assert not (tmp_path / "voc").exists()
    assert download("--keep", "--downloads", tmp_path / "kept") == 0
    assert server.ranges[1] == "bytes=5000-"
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "VOCtrainval_11-May-2012.tar",
        "benchmark.tgz",
    ]


def test_a_folder_of_ones_own_for_the_archives_is_not_removed(download, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    assert download("--downloads", tmp_path / "mine") == 0
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("which", ["voc_md5", "sbd_md5"])
def test_a_wrong_sum_is_one_line_and_makes_nothing(download, tmp_path, capsys, which):
    assert download(**{which: "0" * 32}) == 1
    error = capsys.readouterr().err
    assert f"not {'0' * 32}: damaged or another file" in error and error.count("\n") == 1
    assert not (tmp_path / "voc").exists()


def test_other_archives_are_named(download, archives, server, tmp_path, capsys):
    sbd = archives[1]
    words = ["--voc", server.address(sbd.name), "--voc-md5", md5(sbd)]
    assert download(*words) == 1
    assert "benchmark.tgz: holds no VOCdevkit/VOC2012; is it the right archive?" in capsys.readouterr().err
    assert download("--test", tmp_path / "absent.tar") == 1
    assert "absent.tar: no such archive; fetch VOC2012test.tar" in capsys.readouterr().err
    assert download("--test", sbd) == 1
    assert not (tmp_path / "voc").exists()


def test_a_root_that_is_there_is_left_alone(download, tmp_path, capsys):
    (tmp_path / "voc").mkdir()
    assert download() == 1
    assert "voc: is there already; remove it first" in capsys.readouterr().err
    assert list((tmp_path / "voc").iterdir()) == []


def test_a_full_disk_is_one_line(download, tmp_path, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extract", full)
    assert download() == 1
    error = capsys.readouterr().err
    assert "No space left on device" in error and error.count("\n") == 1
    assert not (tmp_path / "voc").exists()


def test_images_that_sbd_names_and_voc_lacks_are_told(archives, tmp_path, capsys):
    pieces = tmp_path / "pieces"
    unpack(archives[0], "VOCdevkit/VOC2012", pieces)
    (pieces / "JPEGImages" / f"{IDS[3]}.jpg").unlink()
    with tarfile.open(tmp_path / "voc.tar", "w") as archive:
        archive.add(pieces, "VOCdevkit/VOC2012")
    words = ["--voc", (tmp_path / "voc.tar").as_uri(), "--voc-md5", md5(tmp_path / "voc.tar")]
    words += ["--sbd", archives[1].as_uri(), "--sbd-md5", md5(archives[1])]
    assert main(["data", "voc", str(tmp_path / "voc"), *words]) == 1
    assert f"1 images of train_aug are missing, {IDS[3]} first" in capsys.readouterr().err


def test_a_cut_archive_is_named(archives, tmp_path):
    (tmp_path / "cut.tgz").write_bytes(archives[1].read_bytes()[:-500])
    with pytest.raises(DataError, match=r"cut\.tgz: no whole tar archive"):
        unpack(tmp_path / "cut.tgz", "benchmark_RELEASE/dataset", tmp_path / "out")


def test_members_stay_inside_the_folder(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("VOCdevkit/VOC2012/../../../out.txt"))
    with pytest.raises(DataError, match="no whole tar archive"):
        unpack(tmp_path / "a.tar", "VOCdevkit/VOC2012", tmp_path / "deep" / "in")
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize("content", [{"other": 1}, {"GTcls": 3}, None])
def test_a_mask_that_is_none_is_named(tmp_path, content):
    path = tmp_path / "a.mat"
    if content is None:
        path.write_bytes(b"no matrix")
    else:
        savemat(path, content)
    with pytest.raises(DataError, match=r"a\.mat: holds no GTcls\.Segmentation") as caught:
        read_sbd_mask(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"b\.mat: no such file"):
        read_sbd_mask(tmp_path / "b.mat")
