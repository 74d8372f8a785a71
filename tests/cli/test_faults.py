"""Faults of the machine and of Lightning, as the functions say them and as the real command ends."""

import errno
import os
import re

import pytest
import torch
from torch._utils import ExceptionWrapper

from datamodules.errors import DataError
from mars_pl.cli.faults import known_fault
from tests.cli.tiny_fit import TinyFit


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return TinyFit(tmp_path_factory.mktemp("tiny"), "segmenter")


def ended(tiny, capsys, folder, *words, code=1):
    """Return the only line that a fit ends in."""
    assert tiny.fit(folder, *words) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith(("mars:", "Traceback"))]
    assert len(lines) == 1, lines
    assert not list(folder.glob("*.safetensors"))
    return lines[0]


def test_what_a_fit_ends_in(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cases = {
        ("--trainer.accelerator", "gpu"): "no GPU is seen here; take trainer=cpu",
        ("--data.init_args.label_folder", "null"): "a batch's label, .* set data.label_folder",
        ("--data.init_args.batch_size", "1"): "set data.batch_size to 2 or more",
        ("--trainer.overfit_batches", "2"): "trainer.overfit_batches: .* set data.limit",
        ("--ckpt_path", "nowhere.ckpt"): "nowhere.ckpt: no such checkpoint",
        ("--model.init_args.lr", "1e30"): r"the loss is (nan|inf) at optimiser step \d+ \(images 2007_\d+, 2007_\d+\)",
        (
            "--trainer.callbacks+",
            "EarlyStopping",
            "--trainer.callbacks.monitor",
            "val/never",
        ): "Early stopping conditioned on metric `val/never`",
        ("--trainer.enable_checkpointing", "false"): "Trainer was configured with `enable_checkpointing=False`",
    }
    for number, (words, line) in enumerate(cases.items()):
        found = ended(tiny, capsys, tmp_path / str(number), *words)
        assert re.search(line, found), (words, found)


def test_a_checkpoint_of_fewer_classes_or_later_epochs(tiny, tmp_path, capsys):
    assert tiny.fit(tmp_path / "a", "--trainer.max_epochs", "3") == 0
    capsys.readouterr()
    kept = tmp_path / "a" / "checkpoints" / "last.ckpt"
    for epochs in (1, 2):
        words = ("--trainer.max_epochs", str(epochs), "--ckpt_path", str(kept))
        line = ended(tiny, capsys, tmp_path / "b", *words)
        assert f"trainer.max_epochs={epochs}: the checkpoint has done 3 epochs; ask for as many at least" in line
    state = torch.load(kept, weights_only=False)
    name = next(name for name in state["state_dict"] if name.endswith("decoder.4.weight"))
    state["state_dict"][name] = state["state_dict"][name][:3]
    torch.save(state, tmp_path / "fewer.ckpt")
    line = ended(tiny, capsys, tmp_path / "c", "--ckpt_path", str(tmp_path / "fewer.ckpt"))
    assert "ckpt_path: the checkpoint is another network's or of other classes (size mismatch for" in line


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOENT, errno.ENOTDIR])
def test_the_systems_faults_name_the_file_and_the_remedy(number):
    line = known_fault(OSError(number, os.strerror(number), "runs/a/weights.safetensors"))
    assert line.startswith(f"runs/a/weights.safetensors: {os.strerror(number)}; ")


def test_safetensors_words_of_a_full_disk():
    said = "Error while serializing: I/O error: No space left on device (os error 28)"
    assert known_fault(RuntimeError(said)) == f"{said}; make room on this disk and start the same command again"


def from_worker(error):
    """Return an error as torch hands it on from a reading process."""
    try:
        raise error
    except Exception:
        wrapped = ExceptionWrapper(where="in DataLoader worker process 0")
    with pytest.raises(type(error)) as handed_on:
        wrapped.reraise()
    assert "Original Traceback" in str(handed_on.value)
    return handed_on.value


def test_what_a_reading_process_raised_is_said_as_if_it_were_ours():
    said = "data/a: b.jpg: no such image; fetch it or take it off the list"
    assert known_fault(from_worker(DataError(said))) == said
    assert known_fault(from_worker(ValueError("crop_size: 0 is none"))) == "crop_size: 0 is none"
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/dev/shm/a")
    assert known_fault(from_worker(full)) == known_fault(full)
    assert known_fault(from_worker(RuntimeError("shape"))) is None, "a fault of ours keeps its traceback"


@pytest.mark.parametrize(
    "said",
    [
        "[pair.cc:545] Read error [127.0.0.1]:3981: Connection reset by peer. third_party/gloo/gloo/transport/tcp",
        "[gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:23405",
        "[gloo/unbound_buffer.cc:81] Timed out waiting 1800000ms for recv operation to complete",
        "NCCL error: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting",
        "Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1, OpType=ALLREDUCE)",
    ],
)
def test_the_end_of_another_process_is_said_in_a_line(said):
    assert known_fault(RuntimeError(said)).startswith("another process of this job is gone")


@pytest.mark.parametrize(
    "said",
    [
        "unable to write to file </torch_812_3902_1>: No space left on device (28)",
        "unable to allocate shared memory(shm) for file </torch_5_1>: Resource temporarily unavailable (11)",
        "Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n  …\n"
        "RuntimeError: unable to write to file </torch_812_3902_1>: File too large (27)",
    ],
)
def test_a_container_with_little_shared_memory_is_told_where_to_get_more(said):
    assert "take fewer data.workers, or give a container more of it (docker run" in known_fault(RuntimeError(said))


def test_a_fault_of_ours_keeps_its_traceback():
    for error in (KeyError("surprise"), RuntimeError("shape"), TypeError("x"), ZeroDivisionError()):
        assert known_fault(error) is None
