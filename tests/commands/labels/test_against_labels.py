"""Imported labels are held against the image labels; IRN's keys that hold the background are asked about."""

import numpy as np
import pytest
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.labels import read_label, write_label
from mars_pl.commands.labels.command import main
from tests.fakes.fake_folder import make_own_folder
from tests.fakes.fake_tree import make_voc_tree

SHIFTED = "4 of 4 labels (100%) contradict the image labels: {}/2007_000001.npy: holds bicycle, its image label says"


@pytest.fixture
def padded(tmp_path):
    """Write files as forks of IRN do: key 0 and a map for the background, then the classes from 1."""
    ids = make_voc_tree(tmp_path / "voc", 4)
    (tmp_path / "cam").mkdir()
    for image_id in ids:
        mask = read_label(tmp_path / "voc/SegmentationClassAug" / f"{image_id}.png")
        shown = [code for code in np.unique(mask) if code]
        maps = np.stack([np.full(mask.shape, 0.3), *((mask == code) * 0.9 for code in shown)]).astype(np.float32)
        np.save(tmp_path / "cam" / f"{image_id}.npy", {"keys": np.pad(np.array(shown, int), (1, 0)), "high_res": maps})
    return ids


def bring(tmp_path, kind, source, *options):
    words = ["import", kind, source, tmp_path / "out", "--data", "voc", "--workers", "1", *options]
    assert main([*map(str, words)]) == 0
    return tmp_path / "out"


def test_keys_that_begin_with_the_background_are_asked_about(tmp_path, padded):
    with pytest.raises(DataError, match=r"cam: each of the first files has key 0 .*; say --keys background, or --keys"):
        bring(tmp_path, "irn", tmp_path / "cam")
    assert not (tmp_path / "out").exists()


def test_told_that_0_is_the_background_the_labels_are_right(tmp_path, padded, capsys):
    options = ("--keys", "background", "--root", tmp_path / "voc")
    out = bring(tmp_path, "irn", tmp_path / "cam", *options)
    for image_id in padded:
        truth = read_label(tmp_path / "voc/SegmentationClassAug" / f"{image_id}.png")
        assert np.array_equal(read_label(out / f"{image_id}.png"), truth)
    assert "contradict" not in capsys.readouterr().out


def test_told_wrongly_the_image_labels_contradict(tmp_path, padded, capsys):
    bring(tmp_path, "irn", tmp_path / "cam", "--keys", "classes", "--root", tmp_path / "voc")
    assert SHIFTED.format(tmp_path / "cam") in capsys.readouterr().out


def test_masks_that_contradict_are_told_and_the_share(tmp_path, capsys):
    ids = make_voc_tree(tmp_path / "voc", 4, pseudo="Pseudo")
    path = tmp_path / "voc/Pseudo" / f"{ids[0]}.png"
    Image.fromarray(np.array([0, 2], np.uint8)[read_label(path)]).save(path)
    bring(tmp_path, "png", tmp_path / "voc/Pseudo", "--root", tmp_path / "voc")
    assert f"1 of 4 labels (25%) contradict the image labels: {path}: holds bicycle" in capsys.readouterr().out
    (tmp_path / "voc/Annotations").rename(tmp_path / "elsewhere")
    bring(tmp_path, "png", tmp_path / "voc/Pseudo", "--root", tmp_path / "voc")
    assert "the labels are not held against image labels: " in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".JPG", ".png"])
def test_images_of_any_suffix_lie_beside(tmp_path, suffix):
    ids = make_voc_tree(tmp_path / "voc", 4, pseudo="Pseudo")
    for image_id in ids:
        path = tmp_path / "voc/JPEGImages" / f"{image_id}.jpg"
        with Image.open(path) as image:
            image.load()
        path.unlink()
        image.save(path.with_suffix(suffix))
    (tmp_path / "voc/Pseudo/._a.png").touch()
    out = bring(tmp_path, "png", tmp_path / "voc/Pseudo", "--images", tmp_path / "voc/JPEGImages")
    assert sorted(path.stem for path in out.glob("*.png")) == ids


def test_a_folder_of_ones_own_need_not_be_prepared_and_sizes_are_its_images(tmp_path, capsys):
    make_own_folder(tmp_path / "own")
    masks = tmp_path / "own/masks"
    write_label(masks / "a.png", np.array([0, 2, 1, 3])[read_label(masks / "a.png")])
    words = ["import", "png", str(masks), str(tmp_path / "out"), "--data", "folder", "--root", str(tmp_path / "own")]
    assert main([*words, "--workers", "1"]) == 0
    assert "1 of 8 labels (12%) contradict the image labels" in capsys.readouterr().out
    write_label(masks / "b.png", np.zeros((7, 9)))
    words[3] = str(tmp_path / "again")
    with pytest.raises(DataError, match=r"b\.png: 9×7 pixels, its image .*; make the mask at that size"):
        main([*words, "--workers", "1"])
