import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from callbacks.writing import stored_features
from callbacks.writing.stored_features import StoredFeatures
from datamodules.errors import DataError


def test_the_size_of_all_is_said_before_the_first_is_written(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(stored_features, "rank_zero_info", said.append)
    store = StoredFeatures(tmp_path / "features", 1000)
    for name in "ab":
        store.write(name, torch.ones(4, 64, 64))
    assert said == [f"{tmp_path}/features: features of 1000 images, some 31.2 MiB by the size of the first"]
    assert np.load(tmp_path / "features/b.npy").dtype == np.float16


def test_a_disk_without_room_is_said_before_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    with pytest.raises(DataError, match=r"some 61.0 GiB, 1.0 GiB are free; leave out features=true or make room"):
        StoredFeatures(tmp_path / "features", 1_000_000).write("a", torch.ones(8, 64, 64))
    assert not list((tmp_path / "features").iterdir())
