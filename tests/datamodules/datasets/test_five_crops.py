import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from datamodules.datasets import five_crops
from datamodules.datasets.five_crops import CropPairs, FiveCrops
from datamodules.errors import DataError
from datamodules.files.tree import Tree
from tests.fakes.fake_tree import make_voc_tree


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


def test_crops_follow_the_list_five_an_image(crops):
    assert len(crops) == 15
    assert [crops[row]["id"] for row in range(15)] == crops.ids
    assert crops.ids[4:6] == [f"{crops.images[0]}@4", f"{crops.images[1]}@0"]
    assert crops[7]["image"].shape == (3, 16, 16)
    assert crops[7]["image"].dtype == torch.uint8


def test_corners_row_by_row_and_the_centre(monkeypatch):
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    image[0, :4, :4], image[0, :4, 4:], image[0, 4:, :4], image[0, 4:, 4:] = 10, 20, 30, 40
    monkeypatch.setattr(five_crops, "read_image", lambda path: image)
    data = FiveCrops(Tree(Path("anywhere")), ["a"], size=4)
    assert [int(data[k]["image"][0].float().mean()) for k in range(5)] == [10, 20, 30, 40, 25]
    assert data[4]["image"][0].tolist() == [[10, 10, 20, 20]] * 2 + [[30, 30, 40, 40]] * 2


def test_the_short_side_is_resized_and_the_centre_kept(monkeypatch):
    image = torch.arange(80).expand(3, 40, 80).to(torch.uint8)
    monkeypatch.setattr(five_crops, "read_image", lambda path: image)
    crop = FiveCrops(Tree(Path("anywhere")), ["a"], size=10)[0]["image"][0].float()
    assert crop.shape == (10, 10)
    assert crop.mean() == pytest.approx(19.5, abs=0.6), "columns 10 to 29 of the first 40"
    assert crop.min() >= 9


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
