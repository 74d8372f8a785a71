"""Processes of one job end together; in the real command, in two processes: tests/faults."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from mars_pl.cli.interruption import Interrupted, Interruption
from mars_pl.cli.together import EndTogether, said_of


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """The watch ends a process that does not end by itself; here it would be the tests' own."""
    monkeypatch.setattr("mars_pl.cli.together.LAST", 10_000)


def job(*codes):
    """A trainer whose launcher has started processes that sleep, or end with a code at once."""
    words = ["import time; time.sleep(60)" if code is None else f"raise SystemExit({code})" for code in codes]
    launcher = SimpleNamespace(procs=[subprocess.Popen([sys.executable, "-c", word]) for word in words])
    return SimpleNamespace(strategy=SimpleNamespace(launcher=launcher))


def test_a_killed_process_takes_the_others_with_it_and_is_named(capsys):
    trainer = job(None, None)
    first, second = trainer.strategy.launcher.procs
    with Interruption() as interruption:
        together = EndTogether(interruption)
        together.setup(trainer, None, "fit")
        assert trainer.strategy.launcher.procs == [], "Lightning's observer sees none"
        second.kill()
        with pytest.raises(Interrupted):
            time.sleep(20)
        together.on_exception(trainer, None, Interrupted())
        assert (interruption.code, interruption.signum) == (1, None)
    assert first.wait(5) == -signal.SIGKILL
    assert capsys.readouterr().err.startswith("mars: error: process 2 of this job was ended by SIGKILL, most often")


def test_one_that_said_why_needs_no_second_line(capsys):
    with Interruption() as interruption:
        together = EndTogether(interruption)
        together.setup(job(1), None, "fit")
        with pytest.raises(Interrupted):
            time.sleep(20)
        together.on_exception(None, None, Interrupted())
    assert capsys.readouterr().err == ""


def test_an_error_here_ends_those_that_were_started():
    trainer = job(None)
    (other,) = trainer.strategy.launcher.procs
    with Interruption() as interruption:
        together = EndTogether(interruption)
        together.setup(trainer, None, "predict")
        together.on_exception(trainer, None, ValueError("an image"))
        assert other.wait(5) == -signal.SIGTERM
        together._watch.join(5)
        assert not interruption.lost


def test_a_process_without_its_parent_ends(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    trainer = SimpleNamespace(strategy=SimpleNamespace(launcher=None))
    with Interruption() as interruption:
        together = EndTogether(interruption)
        together.setup(trainer, None, "predict")
        monkeypatch.setattr(os, "getppid", lambda: 1)
        with pytest.raises(Interrupted):
            time.sleep(20)
        together.teardown(trainer, None, "predict")


def test_what_is_said_of_each_end():
    assert said_of(1, 1) == said_of(3, 2) == ""
    assert (
        said_of(1, -15) == said_of(1, 143) == "process 1 of this job was ended by SIGTERM; start the same command again"
    )
