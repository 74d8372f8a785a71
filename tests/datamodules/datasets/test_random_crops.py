import numpy as np
import pytest
import torch

from datamodules.datasets.random_crops import RandomCrops
from datamodules.datasets.split_reader import SplitReader
from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.labels import as_label, read_label, write_label
from datamodules.files.tree import Tree
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def root(tmp_path):
    make_voc_tree(tmp_path, 6, pseudo="Pseudo")
    return tmp_path


def reader(root, names=CLASS_NAMES["voc"], **options):
    settings = {"image_labels": "auto", "label_folder": "Pseudo", "truth_folder": "SegmentationClass"} | options
    return SplitReader(Tree(root), names, **settings)


def crops(root, seed=0):
    return RandomCrops(32, (30, 60), colour_jitter=(0.3, 0.3, 0.3, 0.1)).fit_set(reader(root), "train_aug", seed)


def equal(one, other):
    def same(a, b):
        return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b

    return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)


def test_crops_of_a_list_never_carry_the_truth(root):
    data = crops(root)
    assert [data[0, index]["id"] for index in range(len(data))] == Tree(root).ids("train_aug")
    sample = data[0, 0]
    assert sample.keys() == {"id", "image", "classes", "label", "valid"}
    assert sample["image"].shape == (3, 32, 32)
    assert type(sample["image"]) is type(sample["label"]) is torch.Tensor, "no subclass travels through collation"


def test_a_crop_depends_on_seed_epoch_and_index_alone(root):
    data = crops(root)
    expected = data[1, 2]
    torch.rand(7)
    data[0, 0]
    assert equal(data[1, 2], expected)
    assert equal(crops(root)[1, 2], expected)
    assert not equal(data[2, 2], expected)
    assert not equal(crops(root, seed=1)[1, 2], expected)


def test_reading_draws_nothing_from_the_global_generator(root):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    crops(root)[0, 1]
    assert torch.equal(torch.rand(3), expected)


def test_a_foreign_sampler_is_told(root):
    with pytest.raises(DataError, match="use_distributed_sampler"):
        crops(root)[3]


@pytest.mark.parametrize(("classes", "code"), [(21, 255), (300, 65535)])
def test_padding_has_the_code_that_the_number_of_classes_asks_for(root, classes, code):
    names = ["background", *map(str, range(1, classes))]
    for path in (root / "Pseudo").iterdir():
        write_label(path, as_label(read_label(path).astype(np.int64), classes))
    data = RandomCrops(80, None).fit_set(reader(root, names, image_labels="none"), "train_aug", 0)
    sample = data[0, 0]
    assert not sample["valid"].all() and (sample["label"][~sample["valid"]] == code).all()
    assert sample["label"][sample["valid"]].max() <= 3


def test_without_a_label_folder_crops_have_no_label_and_a_missing_one_is_named(root):
    sample = RandomCrops(32).fit_set(reader(root, label_folder=None), "train_aug", 0)[0, 0]
    assert sample.keys() == {"id", "image", "classes", "valid"}
    with pytest.raises(DataError, match=r"absent: no such label folder; .* set data\.label_folder"):
        RandomCrops(32).fit_set(reader(root, label_folder="absent"), "train_aug", 0)


def test_whole_images_are_predicted_one_by_one(root):
    items, batch_size = RandomCrops(32).predict_set(reader(root), "all", 16)
    assert (len(items), batch_size) == (6, 1)
    assert items[0].keys() == {"id", "image", "classes", "label", "truth", "valid"}


def test_two_kinds_of_sizes_are_refused_before_anything_is_read():
    with pytest.raises(ValueError, match="long_side or scale or scale_choices"):
        RandomCrops(32, scale=(0.5, 1.5))
