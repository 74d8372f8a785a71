import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datamodules.checks import image_size_of
from datamodules.datasets.image_files import find_images, read_upright
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


DEEP = [
    (np.uint16, ".png", "grey of 16 bits"),
    (np.uint16, ".tif", "grey of 16 bits"),
    (np.int32, ".tif", "grey of 16 or 32 bits"),
    (np.float32, ".tif", "grey of floating-point numbers"),
]


@pytest.mark.parametrize(("kind", "suffix", "words"), DEEP)
def test_an_image_that_pillow_would_cut_off_at_255_is_refused_by_name(tmp_path, kind, suffix, words):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.linspace(0, 4095, 64).reshape(8, 8).astype(kind)).save(path)
    complaint = rf"a{re.escape(suffix)}: .*{words}, which has no white; scale it to 8 bits"
    with pytest.raises(DataError, match=complaint):
        read_image(path)
    with pytest.raises(DataError, match=complaint):
        read_upright(path)
    fault = image_size_of(path)
    assert fault.kind == "image not of 8 bits" and re.search(complaint, fault.text)
    with pytest.raises(DataError, match=complaint):
        find_images(tmp_path)


@pytest.mark.parametrize("suffix", [".tif", ".webp", ".png", ".gif"])
def test_an_image_of_several_pages_is_refused_by_name(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match="holds 3 pictures; save the one that is meant"):
        read_image(path)
    assert image_size_of(path).kind == "image of several pages"


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK"])
def test_images_of_8_bits_are_read(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.new("RGB", (7, 5), "white").convert(mode).save(path)
    assert (read_image(path) == 255).all() and image_size_of(path) == (7, 5)


def test_a_camera_s_second_picture_is_no_page(tmp_path):
    picture = Image.new("RGB", (8, 8))
    picture.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[picture])
    assert read_image(tmp_path / "a.jpg").shape == (3, 8, 8)
