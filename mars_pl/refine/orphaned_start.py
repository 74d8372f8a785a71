"""For the process that forks workers, which alone imports this: an orphan that has not begun yet ends without a word.

Where a job is ended while a worker starts, the locks that they share are gone before the worker has read their names.
Python would print a traceback that says nothing of the job.
"""

from __future__ import annotations

import multiprocessing
import sys
import traceback
from pathlib import Path
from types import TracebackType

LOST = (FileNotFoundError, EOFError, ConnectionError)
"""What reading from a process that has ended comes to."""


def say_unless_orphaned(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say an error as Python does, but not one of starting without a parent.

    Args:
        kind: of the error; the arguments are those of ``sys.excepthook``.
        error: itself.
        trace: where it came from.
    """
    frames = traceback.extract_tb(trace)
    starting = bool(frames) and Path(frames[-1].filename).parent == Path(multiprocessing.__file__).parent
    if not (isinstance(error, LOST) and starting):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = say_unless_orphaned
