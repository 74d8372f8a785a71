"""Tensors by their names, and what is said where they are not there."""

import pytest
import torch
from safetensors.torch import save_file

from mars_pl.training.stored_tensors import read_tensors

SAID = {"missing": "no such things; make them", "damaged": "no things ({reason}); make them again"}


def test_tensors_come_in_the_order_of_their_names_and_in_single_precision(tmp_path):
    path = tmp_path / "{odd} name.safetensors"
    save_file({"a": torch.ones(2, dtype=torch.float16), "b": torch.zeros(3, dtype=torch.int64)}, path)
    b, a = read_tensors(path, ["b", "a"], **SAID)
    assert b.tolist() == [0, 0, 0] and a.tolist() == [1, 1] and a.dtype == b.dtype == torch.float32


def test_what_is_missing_or_damaged_is_told_in_one_line(tmp_path):
    path = tmp_path / "{odd} name.safetensors"
    with pytest.raises(ValueError, match=r"\{odd\} name.safetensors: no such things; make them$"):
        read_tensors(path, ["a"], **SAID)
    save_file({"b": torch.zeros(3)}, path)
    for content in (path.read_bytes(), b"nothing", b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"\{odd\} name.safetensors: no things \(.*\); make them again$") as raised:
            read_tensors(path, ["a"], **SAID)
        assert "\n" not in str(raised.value)
