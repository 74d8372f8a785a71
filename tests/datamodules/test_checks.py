import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from datamodules import checks, progress
from datamodules.checks import check_batch, image_size_of, inspect_images
from datamodules.errors import DataError
from datamodules.faults import refuse
from datamodules.files.labels import read_label, write_label
from datamodules.files.scores import write_scores
from datamodules.files.tree import Tree
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def ids(tmp_path):
    return make_voc_tree(tmp_path, 6, pseudo="Pseudo")


def check(root, ids, num_classes=4):
    refuse(
        inspect_images(
            Tree(root), ids, num_classes, label_folder=root / "Pseudo", truth_folder=root / "SegmentationClass"
        )
    )


def test_a_sound_tree_passes_and_so_does_the_code_254(tmp_path, ids):
    label = read_label(tmp_path / "Pseudo" / f"{ids[0]}.png").copy()
    label[0, 0], label[0, 1] = 254, 255
    write_label(tmp_path / "Pseudo" / f"{ids[0]}.png", label)
    check(tmp_path, ids)


def test_a_missing_image_is_named_and_counted(tmp_path, ids):
    for image_id in ids[2:5]:
        (tmp_path / "JPEGImages" / f"{image_id}.jpg").unlink()
    with pytest.raises(DataError, match=rf"{ids[2]}\.jpg: no such image; .* \(2 more like it\)$"):
        check(tmp_path, ids)


def test_only_faults_of_the_same_kind_are_counted(tmp_path, ids):
    (tmp_path / "JPEGImages" / f"{ids[1]}.jpg").unlink()
    (tmp_path / "Pseudo" / f"{ids[2]}.png").unlink()
    with pytest.raises(DataError, match=r"no such image; [^(]*$"):
        check(tmp_path, ids)


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.99])
def test_an_image_cut_short_is_found(tmp_path, ids, keep):
    path = tmp_path / "JPEGImages" / f"{ids[1]}.jpg"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(DataError, match=rf"{ids[1]}\.jpg: cannot be decoded"):
        check(tmp_path, ids)


@pytest.mark.parametrize("extra", [b"\0" * 10, b"\n", b"x" * 500])
def test_bytes_behind_the_end_are_no_fault(tmp_path, ids, extra):
    path = tmp_path / "JPEGImages" / f"{ids[1]}.jpg"
    path.write_bytes(path.read_bytes() + extra)
    check(tmp_path, ids)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_what_is_no_image_is_found(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    assert image_size_of(tmp_path / "a.jpg").kind == "damaged image"


def turn(path, orientation):
    """Leave the pixels of an image and let its camera say how it was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    with Image.open(path) as image:
        image.save(path, quality="keep", exif=exif)


@pytest.mark.parametrize("orientation", [0, 1])
def test_an_upright_image_is_no_fault(tmp_path, ids, orientation, monkeypatch):
    turn(tmp_path / "JPEGImages" / f"{ids[1]}.jpg", orientation)
    path = tmp_path / "JPEGImages" / f"{ids[2]}.jpg"
    with Image.open(path) as image:
        image.save(path, exif=b"Exif\0\0no such thing")
    monkeypatch.setattr(JpegImageFile, "load", lambda image: pytest.fail("an image was decoded"))
    (tmp_path / "classes.txt").write_text("cup\n")
    check(tmp_path, ids)


def test_an_image_that_its_camera_turned_is_found_without_decoding_it(tmp_path, ids, monkeypatch):
    for image_id, orientation in zip(ids[1:4], (6, 3, 8), strict=True):
        turn(tmp_path / "JPEGImages" / f"{image_id}.jpg", orientation)
    check(tmp_path, ids)  # a published data set is taken as it is stored
    (tmp_path / "classes.txt").write_text("cup\n")
    complaint = r"turned by its camera \(EXIF orientation 6\); save it upright \(2 more like it\)$"
    monkeypatch.setattr(JpegImageFile, "load", lambda image: pytest.fail("an image was decoded"))
    with pytest.raises(DataError, match=rf"{ids[1]}\.jpg: {complaint}"):
        check(tmp_path, ids)
    path = tmp_path / "JPEGImages" / f"{ids[1]}.jpg"
    with Image.open(path) as image:
        assert image_size_of(path) == image.size, "who turns it himself finds no fault"


def test_an_image_of_more_pixels_than_are_read_is_found(tmp_path, ids, monkeypatch):
    monkeypatch.setattr("datamodules.files.image_file.LARGEST", 10)
    with pytest.raises(DataError, match=rf"{ids[0]}\.jpg: has more than 10 pixels; cut it .* \(5 more like it\)$"):
        check(tmp_path, ids)


def test_a_mask_of_another_size_is_found(tmp_path, ids):
    for folder in ("Pseudo", "SegmentationClass"):
        path = tmp_path / folder / f"{ids[3]}.png"
        before = path.read_bytes()
        write_label(path, read_label(path).T[:, :-1])
        with pytest.raises(DataError, match=rf"{folder}/{ids[3]}\.png: \d+×\d+ pixels, its image \d+×\d+"):
            check(tmp_path, ids)
        path.write_bytes(before)


def test_a_code_beyond_the_classes_is_found(tmp_path, ids):
    with pytest.raises(DataError, match=r"Pseudo/.*\.png: holds code 3, the data 0 to 2, 254 and 255;.*more like it"):
        check(tmp_path, ids, num_classes=3)


def test_the_code_254_is_a_fault_of_truth_and_255_is_none(tmp_path, ids):
    path = tmp_path / "SegmentationClass" / f"{ids[0]}.png"
    label = read_label(path).copy()
    label[0, 0] = 255
    write_label(path, label)
    check(tmp_path, ids)
    label[0, 1] = 254
    write_label(path, label)
    with pytest.raises(DataError, match=rf"SegmentationClass/{ids[0]}\.png: holds code 254, the data 0 to 3 and 255;"):
        check(tmp_path, ids)


def test_a_missing_label_is_found_but_a_missing_truth_is_none(tmp_path, ids):
    (tmp_path / "SegmentationClass" / f"{ids[0]}.png").unlink()
    check(tmp_path, ids)
    (tmp_path / "Pseudo" / f"{ids[0]}.png").unlink()
    with pytest.raises(DataError, match=rf"Pseudo/{ids[0]}\.png: no such label"):
        check(tmp_path, ids)


def test_a_label_in_colours_is_found(tmp_path, ids):
    path = tmp_path / "Pseudo" / f"{ids[0]}.png"
    Image.fromarray(np.zeros((*read_label(path).shape, 3), np.uint8)).save(path)
    with pytest.raises(DataError, match="mode RGB"):
        check(tmp_path, ids)


def test_a_missing_label_folder_is_named(tmp_path, ids):
    with pytest.raises(DataError, match=r"elsewhere: no such label folder"):
        refuse(inspect_images(Tree(tmp_path), ids, 4, label_folder=tmp_path / "elsewhere"))


@pytest.fixture
def scored(tmp_path, ids):
    (tmp_path / "scores").mkdir()
    for image_id in ids:
        shape = read_label(tmp_path / "Pseudo" / f"{image_id}.png").shape
        write_scores(tmp_path / "scores" / f"{image_id}.npz", np.array([1, 3]), np.zeros((2, *shape), np.float32))

    def check_scores(num_classes=4):
        refuse(inspect_images(Tree(tmp_path), ids, num_classes, score_folder=tmp_path / "scores"))

    return check_scores


def test_sound_scores_pass_and_missing_ones_are_counted(tmp_path, ids, scored):
    scored()
    for image_id in ids[1:3]:
        (tmp_path / "scores" / f"{image_id}.npz").unlink()
    with pytest.raises(DataError, match=rf"scores/{ids[1]}\.npz: no such score file; .* \(1 more like it\)$"):
        scored()


def test_scores_of_another_size_are_found(tmp_path, ids, scored):
    write_scores(tmp_path / "scores" / f"{ids[2]}.npz", np.array([1]), np.zeros((1, 9, 9), np.float32))
    with pytest.raises(DataError, match=rf"{ids[2]}\.npz: scores of shape \(1, 9, 9\), its image and 1 classes"):
        scored()
    write_scores(tmp_path / "scores" / f"{ids[2]}.npz", np.array([1, 2]), np.zeros((1, 9, 9), np.float32))
    with pytest.raises(DataError, match="and 2 classes want"):
        scored()


def test_scores_of_a_class_beyond_the_data_are_found(tmp_path, ids, scored):
    with pytest.raises(DataError, match="scores of class 3, the data has 1 to 2"):
        scored(num_classes=3)


def test_damaged_scores_and_a_missing_folder_are_named(tmp_path, ids, scored):
    (tmp_path / "scores" / f"{ids[0]}.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=rf"{ids[0]}\.npz: cannot be read"):
        scored()
    with pytest.raises(DataError, match="elsewhere: no such score folder; run the stage that makes scores"):
        refuse(inspect_images(Tree(tmp_path), ids, 4, score_folder=tmp_path / "elsewhere"))
    with pytest.raises(
        DataError, match="elsewhere: no such feature folder; make the centroids again with features=true"
    ):
        refuse(inspect_images(Tree(tmp_path), ids, 4, feature_folder=tmp_path / "elsewhere"))


def test_what_takes_a_while_shows_a_bar_on_a_terminal_in_the_first_process(tmp_path, ids, monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    check(tmp_path, ids)
    assert "checking the data" in capsys.readouterr().err
    monkeypatch.setattr(checks, "processes", lambda: (1, 2))
    check(tmp_path, ids)
    assert "checking the data" not in capsys.readouterr().err


def test_a_batch_larger_than_the_data_is_refused():
    check_batch(8, 8)
    with pytest.raises(DataError, match=r"a batch of 9 is more than 8 images give; set data\.batch_size to 8 or less"):
        check_batch(8, 9)
    with pytest.raises(
        DataError, match=r"a batch of 2 is more than 1 image gives; add images, or set data\.batch_size"
    ):
        check_batch(1, 2)


def test_a_png_cut_short_is_found_and_a_whole_one_is_not_decoded(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    with monkeypatch.context() as patch:
        patch.setattr(PngImageFile, "load", lambda image: pytest.fail("an image was decoded"))
        assert image_size_of(path) == (64, 64)
    path.write_bytes(path.read_bytes()[:-5000])
    assert image_size_of(path).kind == "damaged image"
