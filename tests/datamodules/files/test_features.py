import numpy as np
import pytest
import torch

from datamodules.errors import DataError
from datamodules.files.features import read_features, write_features


def test_features_come_back_in_half_precision(tmp_path):
    features = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    write_features(tmp_path / "folder/a.npy", features)
    assert torch.equal(read_features(tmp_path / "folder/a.npy"), torch.from_numpy(features).half())
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["a.npy"]


def test_what_half_precision_cannot_hold_is_not_written(tmp_path):
    with pytest.raises(DataError, match=r"a.npy: features beyond half precision"):
        write_features(tmp_path / "a.npy", np.full((1, 1, 1), 1e6, np.float32))
    assert not list(tmp_path.iterdir())


def test_other_files_are_named_in_one_line(tmp_path):
    path = tmp_path / "a.npy"
    with pytest.raises(DataError, match=r"a.npy: no such features; make the centroids again with features=true"):
        read_features(path)
    for array in (
        np.zeros((1, 2, 2)),
        np.zeros((2, 2), np.float16),
        np.zeros((0, 2, 2), np.float16),
        np.array([[[{}]]], dtype=object),
    ):
        np.save(path, array, allow_pickle=True)
        with pytest.raises(DataError, match="cannot be read as features") as fault:
            read_features(path)
        assert "\n" not in str(fault.value)
    np.save(path, np.full((1, 2, 2), np.nan, np.float16))
    with pytest.raises(DataError, match="not finite"):
        read_features(path)
    np.save(path, np.zeros((1, 2, 2), np.float16))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="cannot be read as features"):
        read_features(path)
