from __future__ import annotations

import pickle
from collections import OrderedDict

import pytest
import torch

from datamodules.errors import DataError
from datamodules.unpickle.inert import Inert
from datamodules.unpickle.restricted_checkpoint import read_checkpoint
from tests.fakes.published import save_lightning_1
from tests.fakes.touch import Touch


def test_a_lightning_1_checkpoint_gives_its_tensors_and_its_configuration_stays_inert(tmp_path, monkeypatch):
    state = {"net.a": torch.rand(2, 3), "net.b": torch.arange(4)}
    save_lightning_1(tmp_path / "stego.ckpt", state, monkeypatch)
    with pytest.raises(pickle.UnpicklingError, match="weights_only"):
        torch.load(tmp_path / "stego.ckpt", weights_only=True)
    with pytest.raises((ModuleNotFoundError, AttributeError)):
        torch.load(tmp_path / "stego.ckpt", weights_only=False)
    found = read_checkpoint(tmp_path / "stego.ckpt")
    assert found["epoch"] == 3 and type(found["hyper_parameters"]) is Inert
    assert list(found["state_dict"]) == ["net.a", "net.b"]
    assert all(torch.equal(found["state_dict"][key], value) for key, value in state.items())


def test_code_in_a_checkpoint_does_not_run(tmp_path):
    marker = tmp_path / "ran"
    torch.save({"state_dict": {"a": torch.ones(2)}, "hyper_parameters": Touch(marker)}, tmp_path / "a.ckpt")
    found = read_checkpoint(tmp_path / "a.ckpt")
    assert found["state_dict"]["a"].tolist() == [1, 1]
    assert not marker.exists()
    torch.load(tmp_path / "a.ckpt", weights_only=False)
    assert marker.exists(), "the same file runs where pickles are trusted: the test above would notice"


def test_code_in_a_file_of_before_torch_1_6_does_not_run(tmp_path):
    marker = tmp_path / "ran"
    state = {"a": Touch(marker), "b": torch.ones(2)}
    torch.save(state, tmp_path / "old.ckpt", _use_new_zipfile_serialization=False)
    found = read_checkpoint(tmp_path / "old.ckpt")
    assert type(found["a"]) is Inert and found["b"].tolist() == [1, 1] and not marker.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_of_every_kind_come_back(tmp_path, zipped):
    base = torch.arange(24.0).view(4, 6)
    state = {
        "view": base[1:3, ::2],
        "same storage": base.T,
        "half": base.half(),
        "bfloat16": base.bfloat16(),
        "double": base.double(),
        "bool": base > 3,
        "byte": base.byte(),
        "int": base.int(),
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(base.clone()),
    }
    torch.save(OrderedDict(state), tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(tmp_path / "a.pth")
    assert list(found) == list(state)
    for key, value in state.items():
        assert found[key].dtype == value.dtype and torch.equal(found[key], value), key


@pytest.mark.parametrize("content", [b"", b"hello, this is no checkpoint", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "a.ckpt").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.ckpt: no checkpoint of torch") as error:
        read_checkpoint(tmp_path / "a.ckpt")
    assert "\n" not in str(error.value)


def test_a_file_cut_short_is_named(tmp_path):
    torch.save({"a": torch.zeros(1000)}, tmp_path / "a.ckpt")
    (tmp_path / "a.ckpt").write_bytes((tmp_path / "a.ckpt").read_bytes()[:-500])
    with pytest.raises(DataError, match=r"a\.ckpt"):
        read_checkpoint(tmp_path / "a.ckpt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="no such checkpoint"):
        read_checkpoint(tmp_path / "a.ckpt")


def test_a_tensor_alone_is_no_checkpoint(tmp_path):
    torch.save(torch.ones(3), tmp_path / "a.ckpt")
    with pytest.raises(DataError, match="holds no dict"):
        read_checkpoint(tmp_path / "a.ckpt")
