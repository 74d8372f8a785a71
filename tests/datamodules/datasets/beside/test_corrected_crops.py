import numpy as np
import pytest
import torch

from datamodules.datasets.beside.corrected_crops import CorrectedCrops
from datamodules.datasets.random_crops import RandomCrops
from datamodules.errors import DataError
from datamodules.files.labels import read_label
from tests.datamodules.datasets.test_random_crops import reader
from tests.fakes.fake_tree import make_voc_tree

OPTIONS = {"crop_size": 32, "long_side": (30, 60)}


@pytest.fixture
def root(tmp_path):
    make_voc_tree(tmp_path, 6, pseudo="Pseudo")
    return tmp_path


@pytest.fixture
def data(root):
    made = CorrectedCrops(**OPTIONS)
    made.corrected.folder = root / "corrected"
    return made


def test_before_a_correction_the_crops_are_random_crops_with_their_label_twice(root, data):
    plain, crops = (one.fit_set(reader(root), "train_aug", 3) for one in (RandomCrops(**OPTIONS), data))
    for index in range(len(plain)):
        expected, found = plain[1, index], crops[1, index]
        assert torch.equal(expected["image"], found["image"])
        assert torch.equal(expected["label"], found["label"])
        assert torch.equal(expected["label"], found["initial_label"])


def test_an_epochs_correction_is_read_in_that_epoch_alone_and_cut_as_the_first_label_is(root, data):
    crops = data.fit_set(reader(root), "train_aug", 3)
    name = crops.images.ids[2]
    first = read_label(root / "Pseudo" / f"{name}.png")
    data.corrected.begin(1)
    data.corrected.write(1, name, np.where(first == 0, 7, first).astype(np.uint8))
    before, after = crops[0, 2], crops[1, 2]
    assert torch.equal(before["label"], before["initial_label"])
    first, corrected = after["initial_label"], after["label"]
    assert torch.equal(corrected, torch.where(first == 0, 7, first)), "the padding is ignored in both"
    assert (corrected == 7).any() and torch.equal(crops[1, 0]["label"], crops[1, 0]["initial_label"])


def test_an_epoch_begins_empty_and_two_before_it_are_kept(data):
    for epoch in range(1, 6):
        data.corrected.begin(epoch)
        data.corrected.write(epoch, "a/b", np.zeros((2, 2), np.uint8))
    assert sorted(path.name for path in data.corrected.folder.iterdir()) == ["3", "4", "5"]
    assert data.corrected.path(5, "a/b") is not None
    data.corrected.begin(5)
    assert data.corrected.path(5, "a/b") is None


def test_labels_that_are_not_there_cannot_be_corrected(root):
    with pytest.raises(DataError, match=r"data.label_folder: there are no labels to correct; name their folder"):
        CorrectedCrops(**OPTIONS).fit_set(reader(root, label_folder=None), "train_aug", 0)
