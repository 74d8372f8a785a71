"""Files as IRN and AdvCAM write them: np.save of a dict that holds torch tensors."""

import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from datamodules.errors import DataError
from datamodules.unpickle.torch_pickle import read_arrays
from tests.fakes.touch import Touch
from tests.processes.job_environment import environment_of_job

TENSORS = {
    "keys": torch.tensor([3, 7]),
    "cam": torch.arange(24, dtype=torch.float32).reshape(2, 3, 4),
    "half": torch.tensor([0.5, 0.25], dtype=torch.float16),
    "brain": torch.tensor([[0.5, 3.0]], dtype=torch.bfloat16),
    "flags": torch.tensor([True, False]),
    "codes": torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8),
    "number": torch.tensor(2.5),
    "empty": torch.zeros(0, 5, 6),
    "view": torch.arange(12).reshape(3, 4).t()[1:, ::2],
    "learned": torch.ones(2, requires_grad=True),
}


class Rebuild:
    """Pickles as a call of torch's function with these arguments."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.arguments


class LoadFromBytes:
    """Pickles as a storage whose bytes are these."""

    def __init__(self, content):
        self.content = content

    def __reduce__(self):
        return torch.storage._load_from_bytes, (self.content,)


def save_npy(path, content, protocol=None):
    """Write as np.save does, in any of pickle's protocols (numpy wrote 2 before 1.17, then 3, now 4)."""
    if protocol is None:
        np.save(path, content, allow_pickle=True)
        return path
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        pickle.dump(np.array(content, dtype=object), file, protocol=protocol)
    return path


def same(read, written):
    expected = written.detach()
    expected = (expected.float() if expected.dtype == torch.bfloat16 else expected).numpy()
    return type(read) is np.ndarray and read.dtype == expected.dtype and np.array_equal(read, expected)


@pytest.mark.parametrize("protocol", [None, 2, 3, 4, 5])
@pytest.mark.parametrize("name", TENSORS)
def test_tensors_come_back_as_arrays(tmp_path, name, protocol):
    content = {"tensor": TENSORS[name], "high_res": np.ones((2, 2), np.float32), "note": ["x", 1]}
    read = read_arrays(save_npy(tmp_path / "a.npy", content, protocol))
    assert same(read["tensor"], TENSORS[name])
    assert read["high_res"].tolist() == [[1, 1], [1, 1]] and read["note"] == ["x", 1]


def test_a_bare_pickle_is_read_as_well(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(TENSORS))
    read = read_arrays(tmp_path / "a.pkl")
    assert all(same(read[name], tensor) for name, tensor in TENSORS.items())


def test_tensors_that_share_a_storage(tmp_path):
    whole = torch.arange(6.0)
    read = read_arrays(save_npy(tmp_path / "a.npy", {"a": whole[:2], "b": whole[3:]}))
    assert read["a"].tolist() == [0, 1] and read["b"].tolist() == [3, 4, 5]


def test_code_beside_a_tensor_does_not_run(tmp_path):
    marker = tmp_path / "ran"
    path = save_npy(tmp_path / "a.npy", {"keys": TENSORS["keys"], "cam": Touch(marker)})
    with pytest.raises(DataError, match=r"a\.npy: refused \(it asks for posix\.mkdir\)"):
        read_arrays(path)
    assert not marker.exists()
    np.load(path, allow_pickle=True)
    assert marker.exists(), "the same file runs where pickles are trusted: the test above would notice"


@pytest.mark.parametrize("zipped", [False, True])
def test_code_in_the_bytes_of_a_storage_does_not_run(tmp_path, zipped):
    marker, buffer = tmp_path / "ran", io.BytesIO()
    torch.save(Touch(marker), buffer, _use_new_zipfile_serialization=zipped)
    path = save_npy(tmp_path / "a.npy", {"cam": LoadFromBytes(buffer.getvalue())})
    with pytest.raises(DataError, match=r"a\.npy: refused \(its torch bytes ") as caught:
        read_arrays(path)
    assert not marker.exists() and "\n" not in str(caught.value)
    np.load(path, allow_pickle=True)
    assert marker.exists(), "the same file runs where pickles are trusted: the test above would notice"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (LoadFromBytes(b"no archive"), "its torch bytes are damaged"),
        (LoadFromBytes("text"), "a torch storage without bytes"),
        (Rebuild("text", 0, (1,), (1,), False, {}), "a torch tensor without a storage"),
        (Rebuild(np.array([None]), 0, (1,), (1,), False, {}), "a torch tensor without a storage"),
        (Rebuild(np.zeros(4), 0, (5,), (1,), False, {}), "its storage does not hold"),
        (Rebuild(np.zeros(4), 3, (2,), (1,), False, {}), "its storage does not hold"),
        (Rebuild(np.zeros(4), -1, (2,), (1,), False, {}), "its storage does not hold"),
        (Rebuild(np.zeros(4), 3, (2,), (-1,), False, {}), "its storage does not hold"),
        (Rebuild(np.zeros(4), 0, (10**9,), (0,), False, {}), "its storage does not hold"),
        (Rebuild(np.zeros(4), 0, (2, 2), (1,), False, {}), "its storage does not hold"),
        (Rebuild(np.zeros(4), 0, (np.int64(2**32), np.int64(2**32)), (1, 1), False, {}), "its storage does not hold"),
        (Rebuild(np.zeros(4), 0, (2.0,), (1,), False, {}), "its storage does not hold"),
        (torch.nn.Linear(1, 1), "it asks for torch"),
        (torch.float32, "it asks for torch.float32"),
        (torch.load, r"it asks for torch.serialization.load"),
    ],
)
def test_what_is_no_tensor_is_refused(tmp_path, content, complaint):
    with pytest.raises(DataError, match=rf"a\.npy: refused \(.*{complaint}.*torch tensors, numpy arrays"):
        read_arrays(save_npy(tmp_path / "a.npy", {"cam": content}))


def test_bytes_that_hold_more_than_a_storage_are_refused(tmp_path):
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(1)}, buffer, _use_new_zipfile_serialization=False)
    with pytest.raises(DataError, match="its torch bytes hold no storage"):
        read_arrays(save_npy(tmp_path / "a.npy", {"cam": LoadFromBytes(buffer.getvalue())}))


@pytest.mark.parametrize(
    "name", ["torch.storage _load_from_bytes", "torch._utils _rebuild_tensor_v2", "collections OrderedDict"]
)
def test_nothing_can_be_set_on_what_stands_in(tmp_path, name):
    """A pickle may set a state on what it got hold of; set on a shared object it would last beyond the file."""
    module, function = name.split()
    program = f"c{module}\n{function}\n(N(dS'__call__'\nS'x'\nstb.".encode()
    (tmp_path / "a.pkl").write_bytes(program)
    with pytest.raises(DataError, match=r"a\.pkl: refused"):
        read_arrays(tmp_path / "a.pkl")


def test_torch_itself_does_not_start(tmp_path):
    save_npy(tmp_path / "plain.npy", {0: np.ones(2)})
    save_npy(tmp_path / "torch.npy", {0: torch.ones(2)})
    code = (
        "import sys\nfrom pathlib import Path\nfrom datamodules.unpickle.torch_pickle import read_arrays\n"
        "for name in ('plain', 'torch'):\n    read_arrays(Path(name + '.npy'))\n    print('torch' in sys.modules)"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path, env=environment_of_job(), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a\.npy: no such file"):
        read_arrays(tmp_path / "a.npy")
