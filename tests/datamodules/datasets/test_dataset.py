import numpy as np
import pytest
import torch

from datamodules.datasets.dataset import VOCFolder
from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.image_labels import read_image_labels
from datamodules.files.labels import write_label
from datamodules.files.tree import Tree, read_codes
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def folder(tmp_path):
    ids = make_voc_tree(tmp_path, 4, pseudo="Pseudo")
    labels = read_image_labels(tmp_path, ids, CLASS_NAMES["voc"])
    folders = {"label_folder": tmp_path / "Pseudo", "truth_folder": tmp_path / "SegmentationClass"}
    return VOCFolder(Tree(tmp_path), ids, labels, **folders)


def test_a_whole_image_comes_with_all_that_is_known(folder):
    sample = folder[2]
    size = sample["image"].shape[-2:]
    assert sample["id"] == folder.ids[2]
    assert sample["image"].dtype == torch.uint8
    assert sample["classes"].nonzero().flatten().tolist() == [0, 2]
    assert set(sample["truth"].unique().tolist()) == {0, 1, 3, 255}
    assert set(sample["label"].unique().tolist()) == {0, 1, 3}
    assert sample["valid"].all()
    assert sample["truth"].shape == sample["label"].shape == sample["valid"].shape == size
    assert (sample["image"][:, sample["truth"] == 1].float().mean(1).argmax()) == 0, "class 1 is red"
    assert ((sample["label"] == 1) & (sample["truth"] == 0)).any(), "the pseudo label holds the companion"


def test_truth_is_absent_where_there_is_none(folder):
    (folder.truth_folder / f"{folder.ids[1]}.png").unlink()
    assert "truth" not in folder[1]
    assert "truth" in folder[0]
    folder.truth_folder = None
    assert "truth" not in folder[0]


def test_a_missing_label_is_an_error(folder):
    (folder.label_folder / f"{folder.ids[1]}.png").unlink()
    with pytest.raises(DataError, match=rf"{folder.ids[1]}\.png: no such label"):
        folder[1]


def test_images_without_image_label_or_label_folder(folder):
    bare = VOCFolder(folder.tree, folder.ids, None)
    assert bare[0].keys() == {"id", "image", "valid"}


def test_codes_beyond_the_classes_come_through(tmp_path):
    write_label(tmp_path / "a.png", np.array([[0, 254], [255, 20]]))
    assert read_codes(tmp_path / "a.png").tolist() == [[0, 254], [255, 20]]
