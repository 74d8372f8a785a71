"""SIGTERM and SIGINT end a command with 128 + the signal's number and one line; Lightning alone ends with 0 or 1."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)

REQUEUE = "_slurm_sigusr_handler_fn"
"""Lightning's handler that saves a checkpoint and puts a SLURM job back into the queue: it comes to its end first."""


class Interrupted(SystemExit):
    """Raised in the main thread where a signal asks the command to end; Lightning exits by itself at others."""


class Interruption:
    """Hears the signals while a command runs; raises ``Interrupted`` wherever the main thread stands.

    Attributes:
        signum: of the signal that was heard, or None.
        closing: the command is cleaning up; further signals are not heard.
        checkpoint: of the fit that runs, which goes on from it where it lies.
        lost: another process of the job has ended, and this one ends because of it.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self.closing = False
        self.checkpoint: Path | None = None
        self.lost = False
        self._process = os.getpid()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        """Listen, to what the command was not started to ignore; threads but the main one may not."""
        if threading.current_thread() is threading.main_thread():
            heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self.hear) for number in heard}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Put the handlers back that were there."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def listen(self) -> None:
        """Take the signals back from whoever took them since."""
        for number in self._before:
            signal.signal(number, self.hear)

    def hear(self, signum: int, frame: FrameType | None) -> None:
        """Handle a signal: end, unless we are ending already; a forked worker does what it does without us."""
        if os.getpid() != self._process:
            if signum == signal.SIGINT:
                signal.default_int_handler(signum, frame)
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
            return
        if self.closing:
            return
        if self.lost:
            raise Interrupted(self.code)
        self.signum = signum
        if not _requeues(frame):
            self.end()

    def end(self) -> None:
        """Raise ``Interrupted`` where a signal was heard; to be asked now and then, for what is raised can be lost."""
        if self.signum is not None:
            raise Interrupted(self.code)

    @property
    def code(self) -> int:
        """Exit code of a command that a signal or another process's end has ended, 0 where there was none."""
        if self.lost:
            return 1
        return 0 if self.signum is None else 128 + self.signum

    def __str__(self) -> str:
        """Say in a line what happened, and what to do."""
        name = signal.Signals(self.signum).name if self.signum else "no signal"
        said = f"ended by {name} before it was done"
        if self.checkpoint is None or not self.checkpoint.is_file():
            return said
        return f"{said}; the same command with --ckpt_path {self.checkpoint} goes on after its last epoch"


@contextmanager
def held() -> Iterator[None]:
    """Let signals wait until the block has ended.

    Where a handler raises while torch writes an archive through a Python file, its C++ ends the process by SIGABRT.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = {number: handler for number in SIGNALS if callable(handler := signal.getsignal(number))}
    for number in before:
        signal.signal(number, lambda signum, _: waiting.append(signum))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for heard in waiting[:1]:
            signal.raise_signal(heard)


def _requeues(frame: FrameType | None) -> bool:
    """Tell whether Lightning is putting the job back into SLURM's queue at the moment."""
    while frame is not None:
        if frame.f_code.co_name == REQUEUE:
            return True
        frame = frame.f_back
    return False
