from pathlib import Path

import pytest
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.tree import Tree, read_image
from tests.fakes.fake_tree import make_voc_tree


def listed(root, text):
    folder = root / "ImageSets" / "Segmentation"
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text(text)
    return Tree(root)


def test_both_forms_of_lists_are_read_in_order(tmp_path):
    text = "2007_000063\n\n/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png\n2008.1 \n"
    assert listed(tmp_path, text).ids("train") == ["2007_000063", "2007_000032", "2008.1"]


def test_what_is_wrong_with_a_list_is_told(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: no such data folder; set data\.root"):
        Tree(tmp_path / "nowhere").ids("train")
    tree = listed(tmp_path, "\n")
    with pytest.raises(DataError, match=r"train\.txt: the list is empty"):
        tree.ids("train")
    with pytest.raises(DataError, match=r"val\.txt: no such list.*\(train\)"):
        tree.ids("val")
    (tmp_path / "ImageSets" / "Segmentation" / "train.txt").write_text("a\nb\na\n")
    with pytest.raises(DataError, match="a is listed more than once"):
        tree.ids("train")


def test_a_label_folder_is_a_name_in_the_root_or_a_path(tmp_path):
    make_voc_tree(tmp_path, 2)
    assert Tree(tmp_path).folder("SegmentationClassAug") == tmp_path / "SegmentationClassAug"
    assert Tree(tmp_path).folder("runs/x/labels") == Path("runs/x/labels")
    assert Tree(tmp_path).folder(str(tmp_path)) == tmp_path


def test_grey_images_become_rgb(tmp_path):
    Image.new("L", (7, 5), 130).save(tmp_path / "a.jpg")
    image = read_image(tmp_path / "a.jpg")
    assert image.shape == (3, 5, 7)
    assert (image == 130).all()


def test_an_image_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"a\.jpg: no such image"):
        read_image(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"a\.jpg: cannot be decoded"):
        read_image(tmp_path / "a.jpg")
    Image.new("L", (7, 5)).save(tmp_path / "a.jpg")
    monkeypatch.setattr("datamodules.files.image_file.LARGEST", 10)
    with pytest.raises(DataError, match=r"a\.jpg: has more than 10 pixels"):
        read_image(tmp_path / "a.jpg")
