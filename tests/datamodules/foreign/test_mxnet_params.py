import struct

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.foreign.mxnet_params import read_mxnet_params
from tests.fakes.mxnet_file import MIDDLE, NEWEST, OLDEST, mxnet_file

ARRAYS = {
    "arg:conv1a_weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "aux:bn7_moving_var": np.array([0.5, 2.0], dtype=np.float16),
    "arg:x": np.array([[1e300]]),
}


@pytest.mark.parametrize("version", [OLDEST, MIDDLE, NEWEST])
def test_arrays_of_each_layout_come_back(tmp_path, version):
    (tmp_path / "w.params").write_bytes(mxnet_file(ARRAYS, version))
    found = read_mxnet_params(tmp_path / "w.params")
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)


def test_a_file_by_its_bytes(tmp_path):
    head = bytes.fromhex("1201000000000000" + "0000000000000000" + "0100000000000000")
    array = bytes.fromhex("01000000" + "02000000" + "01000000" + "00000000" + "00000000" + "0000803f" + "000000c0")
    names = bytes.fromhex("0100000000000000" + "0200000000000000") + b"ab"
    (tmp_path / "w.params").write_bytes(head + array + names)
    assert {name: array.tolist() for name, array in read_mxnet_params(tmp_path / "w.params").items()} == {"ab": [1, -2]}


@pytest.mark.parametrize("length", [4, 30, 100, -5])
def test_a_file_cut_short_is_refused(tmp_path, length):
    (tmp_path / "w.params").write_bytes(mxnet_file(ARRAYS)[:length])
    with pytest.raises(DataError, match=r"w\.params: no parameters of MXNet \(.*\); fetch the file again"):
        read_mxnet_params(tmp_path / "w.params")


def test_what_is_none_of_mxnets_is_refused(tmp_path):
    (tmp_path / "w.params").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(DataError, match="does not begin as one"):
        read_mxnet_params(tmp_path / "w.params")
    (tmp_path / "w.params").write_bytes(struct.pack("<QQQ", 0x112, 0, 1) + struct.pack("<Ii", NEWEST, 2) + bytes(99))
    with pytest.raises(DataError, match="sparse"):
        read_mxnet_params(tmp_path / "w.params")
    with pytest.raises(DataError, match="cannot be read"):
        read_mxnet_params(tmp_path / "no.params")
