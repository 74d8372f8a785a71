"""A checkpoint is whole or not there, and the one before it stands in for one that cannot be read."""

import os
import signal
import subprocess
import sys

import pytest
import torch

from datamodules.errors import DataError
from mars_pl.cli.checkpoints import WholeCheckpoints, previous
from mars_pl.cli.interruption import Interrupted, Interruption
from tests.processes.job_environment import environment_of_job

STATE = {"state_dict": {"weight": torch.arange(4.0)}, "epoch": 3}


@pytest.fixture
def path(tmp_path):
    """Where two checkpoints were written, one after the other."""
    path = tmp_path / "checkpoints" / "last.ckpt"
    WholeCheckpoints().save_checkpoint(STATE | {"epoch": 2}, path)
    WholeCheckpoints().save_checkpoint(STATE, path)
    return path


def test_the_newest_is_read_and_the_one_before_it_kept(path):
    assert WholeCheckpoints().load_checkpoint(path)["epoch"] == 3
    assert torch.load(previous(path))["epoch"] == 2
    assert sorted(file.name for file in path.parent.iterdir()) == ["last.ckpt", "previous-last.ckpt"]


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "zip"])
def test_one_that_cannot_be_read_is_named_and_the_one_before_it_taken(path, damage):
    whole = path.read_bytes()
    ruins = {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"no checkpoint", "zip": whole[:-40] + bytes(40)}
    path.unlink()  # the one before it may be the same file
    path.write_bytes(ruins[damage])
    with pytest.warns(UserWarning, match=r"last\.ckpt: cannot be read as a checkpoint .*; going on from .*previous-"):
        assert WholeCheckpoints().load_checkpoint(path)["epoch"] == 2
    previous(path).write_bytes(b"")
    with pytest.raises(DataError, match=r"last\.ckpt: cannot be read as a checkpoint .*name another checkpoint"):
        WholeCheckpoints().load_checkpoint(path)


def test_another_file_of_torchs_is_no_checkpoint(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.pt")
    with pytest.raises(DataError, match=r"weights\.pt: not a checkpoint of Lightning"):
        WholeCheckpoints().load_checkpoint(tmp_path / "weights.pt")
    with pytest.raises(DataError, match=r"none\.ckpt: no such checkpoint"):
        WholeCheckpoints().load_checkpoint(tmp_path / "none.ckpt")


class Signals:
    """A tensor's neighbour that tells the process to end while the archive is written."""

    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        return (int, ())


def test_a_signal_waits_until_the_checkpoint_is_whole(path):
    with Interruption() as interruption, pytest.raises(Interrupted):
        WholeCheckpoints().save_checkpoint(STATE | {"epoch": 4, "other": Signals()}, path)
    assert interruption.code == 143
    assert torch.load(path, weights_only=False)["epoch"] == 4
    assert sorted(file.name for file in path.parent.iterdir()) == ["last.ckpt", "previous-last.ckpt"]


FULL = """
import resource, signal, torch
from mars_pl.cli.checkpoints import WholeCheckpoints
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
state = {"state_dict": {"weight": torch.zeros(100_000)}, "epoch": 4}
WholeCheckpoints().save_checkpoint(state, "checkpoints/last.ckpt")
"""


def test_a_disk_that_is_full_costs_nothing_but_the_newest(path):
    """As a limit of the file's size, which a process can set for itself."""
    words = [sys.executable, "-c", FULL]
    done = subprocess.run(words, cwd=path.parents[1], env=environment_of_job(), capture_output=True)
    assert done.returncode != 0
    assert WholeCheckpoints().load_checkpoint(path)["epoch"] == 3
    assert sorted(file.name for file in path.parent.iterdir()) == ["last.ckpt", "previous-last.ckpt"]
