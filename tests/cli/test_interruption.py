"""A command that is asked to end does so with the signal's exit code and one line, and leaves nothing unfinished."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from safetensors.torch import load_file

from mars_pl.cli.interruption import Interrupted, Interruption
from tests.cli.tiny_fit import WRITER, TinyFit
from tests.processes.job_environment import environment_of_job

TERM, INT = signal.SIGTERM, signal.SIGINT


@pytest.fixture(autouse=True)
def not_ignored():
    """As a command is started from a terminal; a test run in the background ignores SIGINT."""
    before = signal.signal(INT, signal.default_int_handler)
    yield
    signal.signal(INT, before)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return TinyFit(tmp_path_factory.mktemp("tiny"))


class Send(pl.Callback):
    """Sends this process a signal in one of Lightning's hooks."""

    def __init__(self, signum: int, hook: str, epoch: int = 0, swallowed: bool = False):
        self.signum, self.hook, self.epoch, self.swallowed = signum, hook, epoch, swallowed

    def setup(self, trainer, pl_module, stage):
        setattr(self, self.hook, self._send)

    def _send(self, trainer, *_):
        if trainer.current_epoch == self.epoch:
            with suppress(*[SystemExit] if self.swallowed else []):
                os.kill(os.getpid(), self.signum)


def sending(signum, hook, epoch=0, swallowed=False):
    arguments = {"signum": int(signum), "hook": hook, "epoch": epoch, "swallowed": str(swallowed).lower()}
    options = [word for name, value in arguments.items() for word in (f"--trainer.callbacks.{name}", str(value))]
    return ["--trainer.callbacks+", "tests.cli.test_interruption.Send", *options]


@pytest.mark.parametrize(("signum", "code"), [(TERM, 143), (INT, 130)])
def test_a_fit_ends_with_the_signals_code_and_goes_on_later(tiny, tmp_path, capsys, signum, code):
    broken = tmp_path / "broken"
    handlers = [signal.getsignal(number) for number in (TERM, INT)]
    assert tiny.fit(broken, *sending(signum, "on_train_batch_start", epoch=1)) == code
    assert [signal.getsignal(number) for number in (TERM, INT)] == handlers
    checkpoint = broken / "checkpoints" / "last.ckpt"
    name = signal.Signals(signum).name
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mars:")]
    assert lines == [
        f"mars: ended by {name} before it was done; "
        f"the same command with --ckpt_path {checkpoint} goes on after its last epoch"
    ]
    assert not list(broken.glob("*.safetensors*"))
    assert torch.load(checkpoint, weights_only=False)["epoch"] == 0
    assert tiny.fit(broken, "--ckpt_path", str(checkpoint)) == 0
    assert tiny.fit(tmp_path / "whole") == 0
    whole, resumed = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "broken"))
    assert all(torch.equal(value, resumed[key]) for key, value in whole.items())


class Dies(pl.Callback):
    """What Lightning meets where a data worker dies of the same signal while an exception is being handled."""

    def on_exception(self, trainer, pl_module, exception):
        raise RuntimeError("DataLoader worker is killed by signal")


def test_how_a_fit_goes_on_is_said_too_where_another_exception_comes_between(tiny, tmp_path, capsys):
    dies = ["--trainer.callbacks+", "tests.cli.test_interruption.Dies"]
    assert tiny.fit(tmp_path, *sending(TERM, "on_train_batch_start", epoch=1), *dies) == 143
    checkpoint = tmp_path / "checkpoints" / "last.ckpt"
    assert f"mars: ended by SIGTERM before it was done; the same command with --ckpt_path {checkpoint} " in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("job", "hook"), [("validate", "on_validation_batch_start"), ("predict", "on_predict_batch_end")]
)
@pytest.mark.parametrize("swallowed", [False, True], ids=["heard", "lost"])
def test_other_jobs_end_too_even_where_the_exception_is_lost(tiny, tmp_path, capsys, job, hook, swallowed):
    writer = ["-c", WRITER["cam"], "--writer.init_args.refine", "null", "--writer.init_args.workers", "0"]
    words = [*tiny.words, *(writer if job == "predict" else [])]
    words += ["--trainer.default_root_dir", str(tmp_path), *sending(TERM, hook, swallowed=swallowed)]
    assert tiny.run(job, *words) == 143
    assert "mars: ended by SIGTERM before it was done\n" in capsys.readouterr().err


def test_a_signal_outside_of_lightnings_loops_counts(tiny, tmp_path):
    """Where Lightning sets up, and where it would only note the signal at the end of the last epoch."""
    assert tiny.fit(tmp_path / "a", *sending(TERM, "on_fit_start")) == 143
    assert tiny.fit(tmp_path / "b", *sending(TERM, "on_train_end", epoch=2)) == 143
    assert not list(tmp_path.glob("*/*.safetensors"))


@pytest.mark.parametrize(
    "processes", [(), pytest.param(("--trainer.strategy", "ddp", "--trainer.devices", "2"), marks=pytest.mark.slow)]
)
def test_from_outside_a_process(tiny, tmp_path, processes):
    """No line but ours: the command as `mars run` starts it, told to end after an epoch."""
    command = [str(Path(sys.executable).with_name("mars")), "fit", *tiny.words, "--trainer.max_epochs", "10000"]
    process = subprocess.Popen(
        [*command, *processes, "--data.init_args.workers", "1", "--trainer.default_root_dir", str(tmp_path)],
        cwd=tiny.house,
        env=environment_of_job(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 120
    while not (tmp_path / "checkpoints" / "last.ckpt").is_file() and time.monotonic() < until:
        time.sleep(0.1)
    os.killpg(process.pid, TERM)  # its data workers too, as a batch system does
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert "Traceback" not in errors
    said = [line for line in errors.splitlines() if line.startswith("mars:")]
    assert len(said) == 1 and said[0].startswith(
        "mars: ended by SIGTERM before it was done; the same command with --ck"
    )
    assert not (tmp_path / "weights.safetensors").exists()


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A job of one task; ``scontrol`` writes what it was asked and ends who asks it."""
    scontrol = tmp_path / "bin" / "scontrol"
    scontrol.parent.mkdir()
    scontrol.write_text(f"#!/bin/sh\nkill -TERM $PPID\necho $* > {tmp_path}/asked\n")
    scontrol.chmod(0o755)
    for name, value in {"PATH": f"{scontrol.parent}:{os.environ['PATH']}", "SLURM_JOB_NAME": "fit"}.items():
        monkeypatch.setenv(name, value)
    for name in ("SLURM_NTASKS", "SLURM_JOB_ID"):
        monkeypatch.setenv(name, "1")
    for name in ("SLURM_LOCALID", "SLURM_PROCID", "SLURM_NODEID"):
        monkeypatch.setenv(name, "0")
    return tmp_path / "asked"


@pytest.mark.parametrize("kind", ["cam", "segmenter"])
@pytest.mark.parametrize(
    ("hook", "accumulated", "workers"), [("on_train_batch_start", 1, 1), ("on_after_backward", 2, 2)]
)
def test_slurm_gets_its_job_back_and_goes_on_in_the_midst_of_an_epoch(
    tmp_path_factory, tmp_path, slurm, kind, hook, accumulated, workers
):
    """SIGUSR1 saves after the step and requeues; the SIGTERM that follows at once waits; the weights are the same."""
    tiny = TinyFit(tmp_path_factory.mktemp("house"), kind)
    options = ["--data.init_args.batch_size", str(2 * accumulated), "--data.init_args.workers", str(workers)]
    options += ["--trainer.accumulate_grad_batches", str(accumulated)]
    assert tiny.fit(tmp_path / "whole", *options) == 0
    assert tiny.fit(tmp_path / "out", *options, *sending(signal.SIGUSR1, hook, epoch=1)) == 143
    assert slurm.read_text() == "requeue 1\n"
    (saved,) = (tmp_path / "out").glob("hpc_ckpt*")
    epoch = torch.load(saved, weights_only=False)["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]
    assert 0 < epoch["processed"] < 4 and epoch["processed"] % accumulated == 0
    assert not list((tmp_path / "out").glob("*.safetensors"))
    assert tiny.fit(tmp_path / "out", *options) == 0
    for name in ("weights",) if kind == "cam" else ("weights", "student"):
        whole, resumed = (load_file(tmp_path / folder / f"{name}.safetensors") for folder in ("whole", "out"))
        assert all(torch.equal(value, resumed[key]) for key, value in whole.items()), name


def test_what_the_command_was_started_to_ignore_is_ignored():
    signal.signal(INT, signal.SIG_IGN)
    with Interruption() as interruption:
        os.kill(os.getpid(), INT)
        assert interruption.code == 0
        with pytest.raises(Interrupted) as ended:
            os.kill(os.getpid(), TERM)
            time.sleep(1)
    assert ended.value.code == interruption.code == 143


def test_while_cleaning_up_no_further_signal_is_heard():
    with Interruption() as interruption:
        interruption.closing = True
        os.kill(os.getpid(), TERM)
        assert interruption.signum is None


def test_a_job_that_goes_back_into_the_queue_is_put_there_first():
    def _slurm_sigusr_handler_fn():
        os.kill(os.getpid(), TERM)
        return "requeued"

    with Interruption() as interruption:
        assert _slurm_sigusr_handler_fn() == "requeued"
        with pytest.raises(Interrupted):
            interruption.end()


def test_lightnings_requeueing_handler_has_the_name_we_know():
    from pytorch_lightning.trainer.connectors.signal_connector import _SignalConnector

    from mars_pl.cli.interruption import REQUEUE

    assert callable(getattr(_SignalConnector, REQUEUE))


def test_a_forked_worker_dies_of_its_own_signal():
    with Interruption() as interruption:
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), TERM)
            time.sleep(10)
            os._exit(0)
        _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == TERM and interruption.signum is None


def test_a_thread_that_may_not_listen_runs_without():
    found = []

    def work():
        with Interruption() as interruption:
            found.append(interruption.code)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [0]
