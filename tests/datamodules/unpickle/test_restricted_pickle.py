import collections
import pickle

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.unpickle.restricted_pickle import RestrictedUnpickler, read_pickle, read_pickled_npy
from tests.fakes.touch import Touch


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
def test_other_names_are_refused(program):
    with pytest.raises(pickle.UnpicklingError):
        RestrictedUnpickler(program).load()


class Forged:
    """Pickles as a call of numpy's that would show bytes of the file as addresses of objects."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


ADDRESSES = b"A" * 16
OBJECT_STATE = (3, "|", None, None, None, -1, -1)


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        (Forged(np.ndarray, ((2,), np.dtype("O"), ADDRESSES)), "'_Name' object is not callable"),
        (Forged(np.dtype, ("O8", False, True), (*OBJECT_STATE, 0)), "a forged dtype object"),
        (Forged(np.dtype, ("i8", False, True), (*OBJECT_STATE[:5], 64, 8, 0)), "a forged dtype int64"),
        (Forged(np.dtype, ("V8", False, True), (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0)), "'V8'"),
        (Forged(np.dtype, ([("a", "O")],)), r"numbers of type \[\('a', 'O'\)\]"),
        (Forged(np._core.numeric._frombuffer, (ADDRESSES, np.dtype("O"), (2,), "C")), "OBJECT array from memory"),
        (Forged(np._core.multiarray._reconstruct, (np.ndarray, (2,), b"O"), (1, (2,), np.dtype("O"), False, b"")), ""),
    ],
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_no_bytes_become_addresses(tmp_path, forged, reason, protocol):
    """numpy builds each of the first five and would follow the addresses, which ends the process."""
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"keys": forged}, protocol=protocol))
    with pytest.raises(DataError, match=rf"a\.pkl: refused \(.*{reason}"):
        read_pickle(tmp_path / "a.pkl")


def test_an_array_that_is_made_keeps_its_state(tmp_path):
    array = np.arange(3)
    state = (1, (1,), np.dtype("i8"), False, bytes(8))
    twice = pickle.dumps(array, protocol=2)[:-1] + pickle.dumps(state, protocol=2)[2:-1] + pickle.BUILD + pickle.STOP
    assert pickle.loads(twice).tolist() == [0]
    (tmp_path / "a.pkl").write_bytes(twice)
    with pytest.raises(DataError, match="changes a ndarray that is already made"):
        read_pickle(tmp_path / "a.pkl")


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["?", "<f4", ">f8", "<i8", "u1", "<c8", "f2", "S5", "<U7", ">U7", "O"])
def test_arrays_and_scalars_of_every_simple_kind_are_read(tmp_path, kind, protocol):
    array = np.array([[0, 1], [1, 0]]).astype(kind)
    content = [array, *([] if kind == "O" else [array[0, 1]]), *([array[:0]] if protocol > 2 else [])]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    trusted = pickle.loads((tmp_path / "a.pkl").read_bytes())  # turned to the machine's byte order
    for found, wanted in zip(read_pickle(tmp_path / "a.pkl"), trusted, strict=True):
        assert found.dtype == wanted.dtype and found.shape == wanted.shape and found.tolist() == wanted.tolist()
    assert np.dtype("f8").isnative and np.dtype("U7").isnative, "nothing of the process has changed"


def test_only_latin1_encodes():
    program = b"c_codecs\nencode\n(Vabc\nVutf_7\ntR."
    with pytest.raises(pickle.UnpicklingError, match="utf_7"):
        RestrictedUnpickler(program).load()


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
