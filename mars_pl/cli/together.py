"""The processes of one job end together, and the reason of the first is the last line that a person reads."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Sequence

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from mars_pl.cli.error_line import say_error
from mars_pl.cli.faults import LOST
from mars_pl.cli.interruption import Interruption

PERIOD = 0.2
"""Seconds between two looks at the other processes; Lightning's own look, every five, ends this one by SIGKILL."""

PATIENCE = 5.0
"""Seconds in which the watch finds the process with which an exchange failed."""

LAST = 5.0
"""Seconds in which the main thread may end by itself; one that hangs in an exchange never does."""


class EndTogether(Callback):
    """Watches, in a job of several processes, those that depend on each other.

    The first process watches the ones that Lightning started for it; each of them, and each that torchrun started,
    watches its parent, without which a prediction would go on to its end.

    Args:
        interruption: of this process.
    """

    def __init__(self, interruption: Interruption) -> None:
        self.interruption = interruption
        self._others: Sequence[subprocess.Popen[bytes]] = ()
        self._over = threading.Event()
        self._watch: threading.Thread | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Begin to watch, in place of Lightning's observer, which has nothing left to see."""
        started: list[subprocess.Popen[bytes]] = getattr(trainer.strategy.launcher, "procs", [])
        self._others = tuple(started)
        started.clear()
        watched = self._watch_others if self._others else self._watch_parent if _has_been_started() else None
        if watched is not None:
            self._over.clear()
            self._watch = threading.Thread(target=watched, args=(os.getppid(),), name="end-together", daemon=True)
            self._watch.start()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """End the processes that this one has started; where one of them was the first to end, it is said why."""
        if self._watch is not None and self._others and re.search(LOST, " ".join(str(exception).split())):
            self._watch.join(PATIENCE)
        self._over.set()
        for process in self._others:
            process.send_signal(self.interruption.signum or signal.SIGTERM)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Watch no longer: the job is at its end, where processes end one after another."""
        self._over.set()

    def _watch_others(self, parent: int) -> None:
        while not self._over.wait(PERIOD):
            for number, process in enumerate(self._others, 1):
                if process.poll():
                    self._end(said_of(number, process.returncode))
                    return

    def _watch_parent(self, parent: int) -> None:
        while not self._over.wait(PERIOD):
            if os.getppid() != parent:
                self._end("")
                return

    def _end(self, line: str) -> None:
        """End this process and those that it has started; a line of ours comes last."""
        if self.interruption.signum is not None:  # all were told to end
            return
        self.interruption.lost = True
        for process in self._others:
            process.kill()
        if line:
            say_error(line, os.getppid())
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LAST)
        os._exit(self.interruption.code)


def said_of(number: int, code: int) -> str:
    """Return the line about another process that has ended; one that ended by itself has said why.

    Args:
        number: of the process.
        code: its exit code, below 0 where a signal ended it.
    """
    if code > 0 and code - 128 not in (signal.SIGTERM, signal.SIGINT):
        return ""
    name = signal.Signals(-code if code < 0 else code - 128).name
    cause = ", most often for want of memory; take fewer workers or a smaller batch and" if name == "SIGKILL" else ";"
    return f"process {number} of this job was ended by {name}{cause} start the same command again"


def _has_been_started() -> bool:
    """Tell whether Lightning or torchrun has started this process for a job of several."""
    return os.environ.get("LOCAL_RANK", "0") != "0" or "TORCHELASTIC_RUN_ID" in os.environ
