from pathlib import Path

import pytest
import torch

from datamodules.datasets import five_crops
from datamodules.datasets.five_crops import FiveCrops
from datamodules.files.tree import Tree
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def crops(tmp_path):
    return FiveCrops(Tree(tmp_path), make_voc_tree(tmp_path, 3), size=16)


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
