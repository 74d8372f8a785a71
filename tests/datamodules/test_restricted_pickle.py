import collections
import pickle
from pathlib import Path

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.restricted_pickle import RestrictedUnpickler, read_pickle, read_pickled_npy


class Touch:
    """Pickles as a call that leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def save(path, content):
    np.save(path, np.array(content, dtype=object), allow_pickle=True)


def test_a_dict_of_vectors_comes_back(tmp_path):
    vector = np.array([0, 1], np.float32)
    save(tmp_path / "a.npy", {2007000032: vector, "x": [1, 2.5, (True, None)], 3: np.float64(0.5)})
    table = read_pickled_npy(tmp_path / "a.npy")
    assert table[2007000032].dtype == np.float32
    assert table[2007000032].tolist() == [0, 1]
    assert table["x"] == [1, 2.5, (True, None)]
    assert table[3] == 0.5


def test_a_plain_array_needs_no_pickle(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    assert read_pickled_npy(tmp_path / "a.npy").tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_files_of_old_numpy_are_read(tmp_path, protocol):
    """Numpy before 1.17 wrote protocol 2 (bytes by _codecs.encode), before 2.0 the module was numpy.core."""
    content = pickle.dumps(np.array({"a": np.array([0, 1], np.float32)}, dtype=object), protocol=protocol)
    renamed = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    if protocol == 4:  # its strings carry their length
        renamed = renamed.replace(b"\x8c\x16numpy.core", b"\x8c\x15numpy.core")
        renamed = renamed[:3] + (int.from_bytes(content[3:11], "little") - 1).to_bytes(8, "little") + renamed[11:]
    assert b"numpy.core" in renamed
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        file.write(renamed)
    assert read_pickled_npy(tmp_path / "a.npy")["a"].tolist() == [0, 1]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", ["C", "F"])
def test_bare_pickles_of_every_protocol_are_read(tmp_path, protocol, order):
    array = np.asarray(np.arange(6, dtype=np.int64).reshape(2, 3), order=order)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"keys": array, "seed": np.float32(0.5)}, protocol=protocol))
    content = read_pickle(tmp_path / "a.pkl")
    assert content["keys"].dtype == np.int64 and content["keys"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert content["seed"] == 0.5


def test_code_in_a_bare_pickle_does_not_run(tmp_path):
    marker = tmp_path / "ran"
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"keys": Touch(marker)}))
    with pytest.raises(DataError, match=r"a\.pkl: refused \(it asks for "):
        read_pickle(tmp_path / "a.pkl")
    assert not marker.exists()
    pickle.loads((tmp_path / "a.pkl").read_bytes())
    assert marker.exists(), "the same file runs where pickles are trusted: the test above would notice"


@pytest.mark.parametrize("content", [b"", b"hello", pickle.dumps(np.zeros(20))[:-30]])
def test_a_damaged_bare_pickle_is_named(tmp_path, content):
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.pkl: refused"):
        read_pickle(tmp_path / "a.pkl")


def test_code_in_a_file_does_not_run(tmp_path):
    marker = tmp_path / "ran"
    save(tmp_path / "a.npy", {1: Touch(marker)})
    with pytest.raises(DataError, match=r"a\.npy: refused \(it asks for "):
        read_pickled_npy(tmp_path / "a.npy")
    assert not marker.exists()
    np.load(tmp_path / "a.npy", allow_pickle=True)
    assert marker.exists(), "the same file runs where pickles are trusted: the test above would notice"


def test_the_refused_name_is_in_the_message(tmp_path):
    save(tmp_path / "a.npy", collections.Counter("a"))
    with pytest.raises(DataError, match=r"collections\.Counter") as caught:
        read_pickled_npy(tmp_path / "a.npy")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cbuiltins\ngetattr\n.",
        b"cnumpy\nload\n.",
        b"cnumpy.core.multiarray\nfromfile\n.",
        b"c_codecs\ndecode\n.",
        b"Pelsewhere\n.",
    ],
)
def test_other_names_are_refused(tmp_path, program):
    (tmp_path / "a").write_bytes(program)
    with (tmp_path / "a").open("rb") as file, pytest.raises(pickle.UnpicklingError):
        RestrictedUnpickler(file).load()


def test_only_latin1_encodes(tmp_path):
    program = b"c_codecs\nencode\n(Vabc\nVutf_7\ntR."
    (tmp_path / "a").write_bytes(program)
    with (tmp_path / "a").open("rb") as file, pytest.raises(pickle.UnpicklingError, match="utf_7"):
        RestrictedUnpickler(file).load()


def test_more_names_may_be_allowed(tmp_path):
    save(tmp_path / "a.npy", collections.OrderedDict(a=1))
    with pytest.raises(DataError):
        read_pickled_npy(tmp_path / "a.npy")
    assert read_pickled_npy(tmp_path / "a.npy", also={("collections", "OrderedDict"): dict}) == {"a": 1}


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"hello, this is no npy file at all"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npy"):
        read_pickled_npy(tmp_path / "a.npy")


def test_a_file_cut_short_is_named(tmp_path):
    save(tmp_path / "a.npy", {1: np.zeros(20)})
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-40])
    with pytest.raises(DataError, match=r"a\.npy"):
        read_pickled_npy(tmp_path / "a.npy")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_pickled_npy(tmp_path / "a.npy")
