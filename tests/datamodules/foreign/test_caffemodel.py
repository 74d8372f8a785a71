import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.foreign.caffemodel import read_caffemodel
from tests.fakes.caffe_file import caffe_file

ARRAYS = {
    "conv1": [np.arange(300, dtype=np.float32).reshape(2, 3, 5, 10)],
    "bn_conv1": [np.float32([1, 2]), np.float32([3, 4]), np.float32([999.5])],
}


@pytest.mark.parametrize("old", [False, True])
def test_blobs_come_back_by_layer_in_their_order(tmp_path, old):
    path = tmp_path / "net.caffemodel"
    path.write_bytes(caffe_file({**ARRAYS, "relu": []}, old))
    found = read_caffemodel(path)
    assert found.keys() == ARRAYS.keys()
    for name, arrays in ARRAYS.items():
        assert len(found[name]) == len(arrays)
        assert all(np.array_equal(a.reshape(b.shape), b) for a, b in zip(found[name], arrays, strict=True))
    assert found["conv1"][0].shape == (2, 3, 5, 10)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 a zip archive", caffe_file(ARRAYS)[:-3], caffe_file({"data": []}), b"\xff" * 40]
)
def test_what_is_no_caffemodel_is_named(tmp_path, content):
    path = tmp_path / "net.caffemodel"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"net\.caffemodel: no weights of Caffe's"):
        read_caffemodel(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: cannot be read"):
        read_caffemodel(tmp_path / "nowhere")
