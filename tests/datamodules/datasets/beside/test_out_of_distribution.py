import pytest
import torch

from datamodules.datasets.beside.out_of_distribution import OutOfDistributionCrops
from datamodules.datasets.random_crops import RandomCrops
from datamodules.errors import DataError
from datamodules.synthetic.generator import write_outside
from tests.datamodules.datasets.test_random_crops import reader
from tests.fakes.fake_tree import make_voc_tree

OPTIONS = {"crop_size": 32, "long_side": (30, 60)}


@pytest.fixture
def root(tmp_path):
    make_voc_tree(tmp_path, 6)
    write_outside(tmp_path / "outside", 1, 3)
    return tmp_path


def fit_set(root, **options):
    made = OutOfDistributionCrops(str(root / "outside"), **OPTIONS)
    return made.fit_set(reader(root, label_folder=None), "train_aug", **{"seed": 0, **options})


def test_each_crop_has_another_picture_beside_it_and_stays_what_it_was(root):
    data = fit_set(root)
    plain = RandomCrops(**OPTIONS).fit_set(reader(root, label_folder=None), "train_aug", 0)
    for index in range(len(data)):
        sample = data[2, index]
        assert torch.equal(sample["image"], plain[2, index]["image"])
        assert sample["ood_image"].shape == (3, 32, 32) and sample["ood_image"].dtype == torch.uint8


def test_pictures_depend_on_seed_epoch_and_index_alone_and_all_come(root):
    data = fit_set(root)
    first = data[1, 2]["ood_image"]
    torch.rand(5)
    assert torch.equal(data[1, 2]["ood_image"], first)
    assert not torch.equal(data[2, 2]["ood_image"], first) or not torch.equal(data[3, 2]["ood_image"], first)
    drawn = []
    data.others = type("Spy", (), {"__len__": lambda _: 3, "__getitem__": lambda _, i: drawn.append(i) or others[i]})()
    others = fit_set(root).others
    for epoch in range(6):
        data[epoch, 0]
    assert len(set(drawn)) > 1


def test_without_a_folder_the_fit_says_what_is_missing(root):
    with pytest.raises(DataError, match=r"data.training_set.folder: W-OoD learns from pictures that show none of the"):
        OutOfDistributionCrops(**OPTIONS).fit_set(reader(root, label_folder=None), "train_aug", 0)
    with pytest.raises(DataError, match="nowhere: no such image or folder"):
        OutOfDistributionCrops("nowhere", **OPTIONS).fit_set(reader(root, label_folder=None), "train_aug", 0)
