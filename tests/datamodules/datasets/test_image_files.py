import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.coco import COCO
from datamodules.datasets.image_files import ImageFiles, check_apart, find_images
from datamodules.errors import DataError
from datamodules.folder import Folder
from datamodules.scenes import Scenes
from datamodules.voc import VOC


def draw_picture(path, size=(6, 4), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.arange(size[0] * size[1] * 3, dtype=np.uint8).reshape(size[1], size[0], 3)
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "trip/a.JPG", "trip/day.2/c.webp", ".cache/d.png"):
        draw_picture(tmp_path / "images" / name)
    (tmp_path / "images" / "notes.txt").write_text("not an image")
    return tmp_path / "images"


def test_a_folder_is_read_with_its_sub_folders(folder):
    found = find_images(folder)
    assert list(found) == ["b", "trip/a", "trip/day.2/c"]
    sample = ImageFiles(found)[1]
    assert sample["id"] == "trip/a" and sample.keys() == {"id", "image"}
    assert sample["image"].dtype == torch.uint8 and sample["image"].shape == (3, 4, 6)


def test_one_image(tmp_path):
    path = draw_picture(tmp_path / "one.photo.png")
    assert find_images(path) == {"one.photo": path}


def test_an_image_stands_upright(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # held upright, stored on its side
    path = draw_picture(tmp_path / "held.png", exif=turned)
    assert ImageFiles({"held": path})[0]["image"].shape == (3, 6, 4)


def test_grey_and_transparent_pictures_have_three_channels(tmp_path):
    for mode in ("L", "RGBA", "P"):
        Image.new(mode, (5, 3)).save(tmp_path / f"{mode}.png")
    samples = ImageFiles(find_images(tmp_path))
    assert {samples[index]["image"].shape for index in range(3)} == {(3, 3, 5)}


def test_what_is_no_image_is_named(folder):
    with pytest.raises(DataError, match=r"notes\.txt: is no image that can be read; replace it or take it away$"):
        find_images(folder / "notes.txt")
    for name in ("e.jpg", "f.jpg"):
        (folder / name).write_text("neither")
    with pytest.raises(DataError, match=r"e\.jpg: is no image that can be read.*\(1 more like it\)"):
        find_images(folder)


def test_more_pixels_than_are_read(tmp_path, monkeypatch):
    path = draw_picture(tmp_path / "large.png")
    monkeypatch.setattr("datamodules.files.image_file.LARGEST", 10)
    with pytest.raises(DataError, match=r"large\.png: has more than 10 pixels"):
        find_images(path)


def test_nothing_to_predict(tmp_path):
    with pytest.raises(DataError, match="no such image or folder"):
        find_images(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no image"):
        find_images(tmp_path)


def test_two_images_of_one_name_are_refused(folder):
    draw_picture(folder / "b.jpeg")
    with pytest.raises(DataError, match=r"b\.png: its mask and that of b\.jpeg would be one file"):
        find_images(folder)


def test_a_mask_never_replaces_an_image(folder):
    found = find_images(folder)
    check_apart(found, folder / "masks")
    with pytest.raises(DataError, match=r"b\.png: its mask would replace it"):
        check_apart(found, folder)


@pytest.mark.parametrize(("kind", "classes"), [(VOC, 21), (COCO, 81), (Scenes, 8), (Folder, 3)])
def test_any_data_set_predicts_images_without_its_root(folder, tmp_path, kind, classes):
    root = tmp_path / "root"
    if kind is Folder:  # its class names lie nowhere else
        root.mkdir()
        (root / "classes.txt").write_text("cup\nlamp\n")
    before = sorted(tmp_path.rglob("*"))
    data = kind(str(root), images=str(folder), workers=0)
    data.prepare_data()
    data.setup("predict")
    batches = list(data.predict_dataloader())
    assert [batch["id"] for batch in batches] == [["b"], ["trip/a"], ["trip/day.2/c"]]
    assert data.num_classes == classes
    assert sorted(tmp_path.rglob("*")) == before, "nothing was prepared"


def test_linked_folders_are_read_and_links_to_nothing_named(folder, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "album").symlink_to(folder)
    (folder / "back").symlink_to(tmp_path / "links")
    assert list(find_images(tmp_path / "links")) == ["album/b", "album/trip/a", "album/trip/day.2/c"]
    (tmp_path / "links" / "gone.jpg").symlink_to("nowhere.jpg")
    with pytest.raises(
        DataError, match=r"gone\.jpg: is called like an image and is no file, or a link to nothing; take"
    ):
        find_images(tmp_path / "links")
