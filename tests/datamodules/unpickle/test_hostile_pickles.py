"""Pickles that would end the process, take it hours, or fill its memory: each is refused in one line."""

import pickle
import struct
import tracemalloc

import numpy as np
import pytest
import torch

from datamodules.errors import DataError
from datamodules.unpickle.bounds import check_plain
from datamodules.unpickle.restricted_checkpoint import read_checkpoint
from datamodules.unpickle.restricted_pickle import read_pickle
from datamodules.unpickle.torch_pickle import read_arrays

MIB = 2**20
RECONSTRUCT, NDARRAY = "numpy._core.multiarray _reconstruct", "numpy ndarray"


def name(text):
    module, word = text.split()
    return f"c{module}\n{word}\n".encode()


def plain(value):
    return pickle.dumps(value, protocol=2)[2:-1]


def call(function, *arguments):
    return name(function) + b"(" + b"".join(arguments) + b"tR"


def dtype(code):
    return call("numpy dtype", plain(code))


def array(code, shape, content):
    """Return the instructions for an array of any state."""
    state = b"(" + plain(1) + plain(shape) + dtype(code) + plain(False) + content + b"t"
    return call(RECONSTRUCT, name(NDARRAY), plain((0,)), plain(b"b")) + state + b"b"


def bomb(depth, width=10):
    """Return a list that holds one list ten times, which holds one list ten times…"""
    return b"]" + b"".join(b"q\0]" + b"(" + b"h\0" * width + b"e" for _ in range(depth))


HOSTILE = {
    "list shorter than its array": array("O8", (1000,), plain([1])),
    "list longer than its array": array("O8", (1,), plain([1, 2])),
    "objects from bytes": array("O8", (2,), plain("A" * 16)),
    "no list": array("O8", (2,), plain(None)),
    "bytes shorter than their array": array("f4", (1000,), plain("A" * 16)),
    "negative side": array("f4", (-4, -1), plain("A" * 16)),
    "sides that overflow": array("f4", (2**32, 2**32), plain("A" * 16)),
    "no sides": array("f4", None, plain("A" * 16)),
    "state of four": call(RECONSTRUCT, name(NDARRAY)) + b"(" + plain((1,)) + dtype("O8") + plain(False) + b"]tb",
    "dtype that is none": call(RECONSTRUCT, name(NDARRAY)) + b"(K\1" + plain((1,)) + plain("O") + plain(0) + b"]tb",
    "wide text": call("numpy._core.multiarray scalar", dtype("U500000000"), plain("AAAA")),
    "wide text without bytes": call("numpy._core.multiarray scalar", dtype("U500000000")),
    "text of no width": array("U0", (2**40,), plain("")),
    "no characters": array("U1", (1,), plain("\xff\xff\xff\x7f")),
    "scalar of objects": call("numpy._core.multiarray scalar", dtype("O8"), plain([1])),
    "addresses of an array's objects": call(
        "numpy._core.numeric _frombuffer", array("O8", (1,), plain(["secret"])), dtype("i8"), plain((1,)), plain("C")
    ),
    "view beyond its bytes": call(
        "numpy._core.numeric _frombuffer", plain("A" * 8), dtype("i8"), plain((2**40,)), plain("C")
    ),
    "items into an array": array("i8", (1,), plain("A" * 8)) + plain(0) + plain(7) + b"s",
    "items of a list into an array": array("i8", (1,), plain("A" * 8)) + b"(K\1K\2e",
    "key that is deep": b"}" + b")" + b"\x85" * 100_000 + b"Ns",
    "key that is endless": b"}" + b")" + b"".join(b"q\0h\0h\0\x87" for _ in range(60)) + b"Ns",
    "keys at once": b"(" + b")" + b"\x85" * 100_000 + b"Nd",
    "set of what is deep": b"\x8f(" + b")" + b"\x85" * 100_000 + b"\x90",
    "frozen set of what is deep": b"(" + b")" + b"\x85" * 100_000 + b"\x91",
    "lists within lists": b"]" * 20_000 + b"a" * 19_999,
    "list of itself": b"]q\0h\0a",
    "list that is endless to walk": bomb(30),
    "reserved bytes": b"\x96" + struct.pack("<Q", 2**40),
    "long bytes": b"\x8e" + struct.pack("<Q", 2**40),
    "place of an object": b"Nr\xff\xff\xff\x7f0]" + bomb(12),
    "long number": b"\x8b" + struct.pack("<i", 1000) + b"\x7f" * 1000,
    "same bytes copied": plain("A" * MIB)
    + b"q\1"
    + b"0("
    + call("_codecs encode", b"h\1", plain("latin1")) * 200
    + b"l",
    "text shown often": plain("A" * MIB) + b"q\1" + b"0(" + b"h\1" * 20_000 + b"l",
    "array shown often": array("u1", (MIB,), plain("A" * MIB)) + b"q\1" + b"0(" + b"h\1" * 20_000 + b"l",
    "end of no pickle": b"\xff",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_pickle_is_refused(tmp_path, what):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04" + HOSTILE[what] + b".")
    for read in (read_pickle, read_arrays):
        tracemalloc.start()
        try:
            with pytest.raises(DataError, match=r"a\.pkl: refused \(.+\); a file that holds") as caught:
                read(tmp_path / "a.pkl")
            assert tracemalloc.get_traced_memory()[1] < 300 * MIB
        finally:
            tracemalloc.stop()
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_shared_objects_are_no_bomb(tmp_path):
    vector = np.ones(20, np.float32)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(dict.fromkeys(range(10000), vector)))
    assert len(read_pickle(tmp_path / "a.pkl")) == 10_000


def test_a_large_file_may_show_all_that_it_stores():
    check_plain([b"a" * 1000] * 20_000, 21_000_000)
    with pytest.raises(ValueError, match="shows more than 16,777,216 items"):
        check_plain([b"a" * 1000] * 20_000, 1000)


def test_a_tree_as_deep_as_its_bound_is_walked():
    content = 0
    for _ in range(64):
        content = [content]
    check_plain(content)
    with pytest.raises(ValueError, match="nested more than 64 deep"):
        check_plain([content])


def legacy(tmp_path, content):
    torch.save(content, tmp_path / "a.ckpt", _use_new_zipfile_serialization=False)
    return (tmp_path / "a.ckpt").read_bytes()


def test_a_storage_that_claims_more_than_its_file_is_refused(tmp_path):
    content = legacy(tmp_path, {"a": torch.ones(255)})
    assert content.count(b"K\xff") == 2  # of the storage, and of the tensor's size
    (tmp_path / "a.ckpt").write_bytes(content.replace(b"K\xff", b"J\xff\xff\xff\x7f"))
    with pytest.raises(DataError, match=r"a\.ckpt: no checkpoint .*not all are there"):
        read_checkpoint(tmp_path / "a.ckpt")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_view_that_repeats_a_number_is_refused(tmp_path, zipped):
    wide = torch.ones(1).expand(2**29)
    torch.save({"a": wide}, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=r"a\.ckpt: .*size \(536870912,\) that its storage does not hold"):
        read_checkpoint(tmp_path / "a.ckpt")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_key_that_overflows_the_stack_is_refused(tmp_path, zipped):
    """torch's own weights-only reader ends with the process at such a file."""
    torch.save({"a": torch.ones(1)}, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    content = (tmp_path / "a.ckpt").read_bytes()
    deep = b"}" + b")" + b"\x85" * 100_000 + b"Ns."
    if zipped:
        import zipfile

        with zipfile.ZipFile(tmp_path / "a.ckpt", "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02" + deep)
    else:
        start = content.index(b"}q\x00X\x01\x00\x00\x00a")
        (tmp_path / "a.ckpt").write_bytes(content[:start] + deep)
    with pytest.raises(DataError, match=r"a\.ckpt: no checkpoint .*a tuple as a key"):
        read_checkpoint(tmp_path / "a.ckpt")


def test_tensors_that_repeat_a_storage_are_bounded(tmp_path):
    base = torch.zeros(2**20)
    torch.save({str(index): base[:] for index in range(100)}, tmp_path / "a.ckpt")
    with pytest.raises(DataError, match=r"a\.ckpt: .*far more of its bytes than there are"):
        read_checkpoint(tmp_path / "a.ckpt")


def test_a_compressed_checkpoint_is_refused(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.ckpt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, protocol=2))
        archive.writestr("archive/data/0", bytes(64 * MIB))
    assert (tmp_path / "a.ckpt").stat().st_size < MIB
    with pytest.raises(DataError, match=r"a\.ckpt: .*is compressed to .* bytes; torch stores as it is"):
        read_checkpoint(tmp_path / "a.ckpt")
