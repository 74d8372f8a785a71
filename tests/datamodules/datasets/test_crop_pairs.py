import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from datamodules.datasets.crop_pairs import CropPairs, FiveCropPairs
from datamodules.datasets.five_crops import FiveCrops
from datamodules.datasets.split_reader import SplitReader
from datamodules.errors import DataError
from datamodules.files.tree import Tree
from tests.fakes.fake_tree import CLASSES, make_voc_tree


@pytest.fixture
def crops(tmp_path):
    return FiveCrops(Tree(tmp_path), make_voc_tree(tmp_path, 3), size=16)


def write_neighbours(path, rows=15, k=9, ids=None):
    neighbours = torch.stack([(torch.arange(k) + row) % rows for row in range(rows)])
    save_file({"neighbours": neighbours}, path, {"ids": json.dumps(ids)} if ids else None)
    return path


def write_tokens(path, rows=15):
    np.save(path, np.arange(rows, dtype=np.float16)[:, None, None, None] * np.ones((1, 4, 2, 2), np.float16))
    return path


def test_a_positive_is_one_of_the_seven_nearest_and_never_the_crop(crops, tmp_path):
    neighbours, tokens = write_neighbours(tmp_path / "n.safetensors", ids=crops.ids), write_tokens(tmp_path / "t.npy")
    pairs = CropPairs(crops, neighbours, tokens)
    seen = {int(pairs[epoch, 3]["positive_tokens"][0, 0, 0]) for epoch in range(200)}
    assert seen == {4, 5, 6, 7, 8, 9, 10}
    sample = pairs[0, 3]
    assert sample["id"] == crops.ids[3]
    assert (sample["tokens"] == 3).all()
    assert sample["tokens"].shape == (4, 2, 2)
    assert sample["tokens"].dtype == torch.float16
    assert "image" not in sample


def test_images_of_a_pair(crops, tmp_path):
    path = tmp_path / "n.safetensors"
    save_file({"neighbours": torch.stack([torch.arange(15), torch.arange(15).flip(0)], 1)}, path)
    sample = CropPairs(crops, path)[0, 2]
    assert torch.equal(sample["image"], crops[2]["image"])
    assert torch.equal(sample["positive_image"], crops[12]["image"])


def test_the_choice_repeats(crops, tmp_path):
    path, tokens = write_neighbours(tmp_path / "n.safetensors"), write_tokens(tmp_path / "t.npy")

    def chosen(seed):
        pairs = CropPairs(crops, path, tokens, seed)
        return [int(pairs[1, row]["positive_tokens"][0, 0, 0]) for row in range(15)]

    assert chosen(0) == chosen(0)
    assert chosen(0) != chosen(1)


def test_few_neighbours_are_enough(crops, tmp_path):
    pairs = CropPairs(crops, write_neighbours(tmp_path / "n.safetensors", k=2), write_tokens(tmp_path / "t.npy"))
    assert {int(pairs[epoch, 0]["positive_tokens"][0, 0, 0]) for epoch in range(9)} == {1}


def test_neighbours_of_other_crops_are_refused(crops, tmp_path):
    with pytest.raises(DataError, match=r"n\.safetensors: made from other crops \(10 rows\) than this list's 15"):
        CropPairs(crops, write_neighbours(tmp_path / "n.safetensors", rows=10))
    with pytest.raises(DataError, match="other crops"):
        CropPairs(crops, write_neighbours(tmp_path / "n.safetensors", ids=crops.ids[::-1]))
    with pytest.raises(DataError, match="beside the crop itself"):
        CropPairs(crops, write_neighbours(tmp_path / "n.safetensors", k=1))


@pytest.mark.parametrize("content", [None, b"no safetensors"])
def test_a_neighbour_file_that_cannot_be_read_is_named(crops, tmp_path, content):
    if content:
        (tmp_path / "n.safetensors").write_bytes(content)
    with pytest.raises(DataError, match=r"n\.safetensors: .*make the neighbours"):
        CropPairs(crops, tmp_path / "n.safetensors")


def test_a_neighbour_file_without_neighbours_is_named(crops, tmp_path):
    save_file({"centroids": torch.zeros(2)}, tmp_path / "n.safetensors")
    with pytest.raises(DataError, match=r"n\.safetensors"):
        CropPairs(crops, tmp_path / "n.safetensors")


def test_tokens_of_other_crops_are_refused(crops, tmp_path):
    neighbours = write_neighbours(tmp_path / "n.safetensors")
    for shape, dtype in (((10, 4, 2, 2), np.float16), ((15, 4), np.float16), ((15, 4, 2, 2), np.float32)):
        np.save(tmp_path / "t.npy", np.zeros(shape, dtype))
        with pytest.raises(DataError, match=r"t\.npy: float.*not float16 \(15, D, h, w\)"):
            CropPairs(crops, neighbours, tmp_path / "t.npy")
    (tmp_path / "t.npy").write_bytes(b"x")
    with pytest.raises(DataError, match=r"t\.npy: not an array"):
        CropPairs(crops, neighbours, tmp_path / "t.npy")
    np.save(tmp_path / "t.npy", np.array({}, dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"t\.npy"):
        CropPairs(crops, neighbours, tmp_path / "t.npy")
    with pytest.raises(DataError, match="no such file"):
        CropPairs(crops, neighbours, tmp_path / "absent.npy")


@pytest.fixture
def reader(tmp_path):
    make_voc_tree(tmp_path / "voc", 4)
    return SplitReader(Tree(tmp_path / "voc"), ["background", *CLASSES], image_labels="none")


def test_the_five_crops_of_a_list_are_predicted_and_their_pairs_fitted(reader, tmp_path):
    crops, batch_size = FiveCropPairs(16).predict_set(reader, "train_aug", 6)
    assert (len(crops), batch_size) == (15, 6), "they are of one size, so a batch may be larger than one"
    path = write_neighbours(tmp_path / "n.safetensors", ids=crops.ids)
    pairs = FiveCropPairs(16, str(path)).fit_set(reader, "train_aug", 0)
    assert pairs[0, 7].keys() == {"id", "image", "positive_image"} and pairs[0, 7]["image"].shape == (3, 16, 16)
    stored = FiveCropPairs(16, str(path), str(write_tokens(tmp_path / "t.npy"))).fit_set(reader, "train_aug", 0)
    assert stored[0, 7].keys() == {"id", "tokens", "positive_tokens"}


def test_a_fit_needs_neighbours_of_its_own_list(reader, tmp_path):
    with pytest.raises(
        DataError, match=r"data\.training_set\.neighbours: a fit needs them; make them with a predict job"
    ):
        FiveCropPairs(16).fit_set(reader, "train_aug", 0)
    with pytest.raises(DataError, match="other crops"):
        FiveCropPairs(16, str(write_neighbours(tmp_path / "n.safetensors"))).fit_set(reader, "all", 0)
