"""Steps, epochs, images and processes, counted by hand."""

import pytest

from datamodules.errors import DataError
from mars_pl.commands.recipe import length as counted
from mars_pl.commands.recipe.length import images_of, processes_of
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.fit_length import length, views_of
from tests.fakes.fake_folder import make_own_folder
from tests.fakes.fake_tree import make_voc_tree

TRAINER = {"accelerator": "gpu", "devices": 1, "num_nodes": 1}


@pytest.mark.parametrize(
    ("epochs", "steps", "items", "batch", "found"),
    [
        (5, None, 10582, 16, (3305, 5.0)),  # 661 whole batches an epoch
        (5, -1, 10582, 16, (3305, 5.0)),
        (-1, 20000, 10582, 10, (20000, 20000 / 1058)),
        (2, 100, 10582, 16, (100, 100 / 661)),  # whichever comes first
        (100, 100, 32, 16, (100, 50.0)),
        (None, None, 32, 16, (None, None)),
        (5, None, None, 16, (None, 5)),
        (-1, 7, None, 16, (7, None)),
        (5, None, 15, 16, (None, 5)),  # no batch at all
    ],
)
def test_length(epochs, steps, items, batch, found):
    assert length(epochs, steps, items, batch) == found


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, 1),
        ({"devices": 4, "num_nodes": 2}, 8),
        ({"devices": "4"}, 4),
        ({"devices": [0, 3]}, 2),
        ({"devices": "0,3"}, 2),
        ({"devices": "3,"}, 1),
        ({"devices": "auto", "accelerator": "cpu"}, 1),
        ({"devices": "auto"}, 3),
        ({"devices": -1, "num_nodes": 2}, 6),
        ({"devices": "-1"}, 3),
    ],
)
def test_processes(settings, found, monkeypatch):
    monkeypatch.setattr(counted, "gpu_count", lambda: 3)
    assert processes_of(TRAINER | settings) == found


def test_processes_of_another_machine_are_not_known(monkeypatch):
    monkeypatch.setattr(counted, "gpu_count", lambda: 0)
    assert processes_of(TRAINER | {"devices": "auto"}) is None


@pytest.mark.parametrize("devices", ["many", "", ",", "1.5"])
def test_devices_that_are_no_number(devices):
    with pytest.raises(DataError, match=r"trainer\.devices: .* is no number of devices"):
        processes_of(TRAINER | {"devices": devices})


def test_views_are_those_of_the_crops():
    assert (views_of("FiveCropPairs"), views_of("RandomCrops")) == (5, 1)


PUBLISHED = {"voc": {"train_aug": 10582}}


def test_images_on_disk_count(tmp_path):
    make_voc_tree(tmp_path, 6)
    choices = Choices(data="voc", data_root=str(tmp_path))
    listed = len((tmp_path / "ImageSets/Segmentation/train_aug.txt").read_text().split())
    assert images_of(choices, {"fit_split": "train_aug"}, PUBLISHED).number == listed
    found = images_of(choices, {"fit_split": "train_aug", "limit": 2}, PUBLISHED)
    assert found.number == 2 and found.source.endswith("train_aug.txt, data.limit 2")


def test_without_them_the_published_lists_do(tmp_path):
    choices = Choices(data="voc", data_root=str(tmp_path / "voc"))
    assert images_of(choices, {"fit_split": "train_aug"}, PUBLISHED).number == 10582
    assert images_of(choices, {"fit_split": "train_aug", "limit": 20000}, PUBLISHED).number == 10582
    found = images_of(choices, {"fit_split": "mine"}, PUBLISHED)
    assert found.number is None and "mine.txt: no such list" in found.source


def test_a_folder_that_was_not_made_ready_counts_as_it_will_be(tmp_path):
    make_own_folder(tmp_path / "own", masks=False)
    choices = Choices(data="folder", data_root=str(tmp_path / "own"))
    found = images_of(choices, {"fit_split": "train", "limit": 5}, PUBLISHED)
    assert found.number == 5 and found.source.endswith("own will be laid out, data.limit 5")


def test_scenes_are_as_many_as_are_asked_for(tmp_path):
    choices = Choices(data="scenes", data_root=str(tmp_path / "scenes"))
    assert images_of(choices, {"fit_split": "train_aug", "data_seed": 0, "train": 40}, PUBLISHED).number == 40
