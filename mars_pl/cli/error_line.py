"""The one line in which an error ends a command, said once however many processes have it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from datamodules.terminal import on_one_line

PATIENCE = 10.0
"""Seconds that processes after the first wait with an error: the first, where it has the same, ends them."""

TORCHRUN = "TORCHELASTIC_ERROR_FILE"
"""Names the file whose message torchrun repeats in the last lines that it prints."""


def say_error(line: str, parent: int) -> None:
    """Print an error's line, unless the first process of the job says it.

    Args:
        line: culprit, what is wrong, remedy.
        parent: process that had started this one when the command began.
    """
    if _first_process_has_ended(parent):
        return
    said = f"mars: error: {on_one_line(line)}"
    print(said, file=sys.stderr)
    if place := os.environ.get(TORCHRUN):  # below its own traceback and its table of processes nobody finds the line
        told = {"message": said, "extraInfo": {"py_callstack": said, "timestamp": str(int(time.time()))}}
        Path(place).write_text(json.dumps({"message": told}))


def _first_process_has_ended(parent: int) -> bool:
    """Tell, in a process that Lightning started for DDP, whether its parent, the first process, ends within a while."""
    if os.environ.get("LOCAL_RANK", "0") == "0":
        return False
    until = time.monotonic() + PATIENCE
    while os.getppid() == parent and time.monotonic() < until:
        time.sleep(0.1)
    return os.getppid() != parent
