import pytest
from PIL import Image

from datamodules.files.image_folder import ImageFolder
from datamodules.files.tree import Tree


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".jpeg", ".png", ".webp", ".tif"])
def test_an_image_is_found_whatever_its_suffix(tmp_path, suffix):
    (tmp_path / "JPEGImages").mkdir()
    path = tmp_path / "JPEGImages" / f"2008_000001{suffix}"
    path.touch()
    (tmp_path / "JPEGImages" / "._2008_000002.jpg").touch()
    (tmp_path / "JPEGImages" / "2008_000003.txt").touch()
    folder = ImageFolder(tmp_path / "JPEGImages")
    assert folder.path("2008_000001") == path == Tree(tmp_path).image("2008_000001")
    assert folder.path("2008_000002").name == "2008_000002.jpg", "one that is missing is called as it usually is"
    assert folder.path("2008_000003").name == "2008_000003.jpg"


def test_the_usual_suffix_comes_first_and_a_missing_folder_holds_nothing(tmp_path):
    for suffix in (".JPG", ".jpg", ".png"):
        Image.new("RGB", (4, 4)).save(tmp_path / f"a{suffix}")
    assert ImageFolder(tmp_path).path("a").name == "a.jpg"
    assert ImageFolder(tmp_path / "nowhere").path("a") == tmp_path / "nowhere" / "a.jpg"


def test_of_several_suffixes_the_first_name_counts_and_a_later_listing_is_not_needed(tmp_path):
    for name in ("b.png", "b.jpeg", "a-1.PNG", "a.png", "c.jpg"):
        (tmp_path / name).touch()
    folder = ImageFolder(tmp_path)
    assert [folder.path(image_id).name for image_id in ("b", "a", "a-1", "c")] == [
        "b.jpeg",
        "a.png",
        "a-1.PNG",
        "c.jpg",
    ]
