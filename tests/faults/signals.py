"""SIGTERM and SIGINT in every kind of job: its exit code, one line, nobody left, and it goes on to the same bytes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.house import MARS, RUN, House, alive
from tests.faults.jobs import CHECKPOINT, compare, jobs
from tests.faults.outcome import Outcome, last_line
from tests.pipeline.tiny_run import REPOSITORY

ENVIRONMENT = Path(sys.prefix)
MAKE = ("make", "-f", str(REPOSITORY / "Makefile"), "-o", f"{ENVIRONMENT}/ready", f"VENV={ENVIRONMENT}")
PATIENCE = 5.0
"""Seconds after which nothing that a job has started may run."""


def signals(house: House) -> Iterator[Outcome]:
    """Yield an outcome a job and signal."""
    for job in jobs(house):
        for signum in (signal.SIGTERM, signal.SIGINT):
            out = f"signals/{job.name.replace(' ', '-')}-{signum.name}"
            process = house.run_until(f"{out}/{job.sign}", *job.words(house, out))
            os.killpg(process.pid, signum)
            outcome = _ended(house, process.wait(timeout=120), signum, f"{signum.name} to {job.name}")
            same = compare(house, job, out)
            yield Outcome(outcome.fault, outcome.came, outcome.right and same, outcome.said, same)
    yield from _pipelines(house)


def _pipelines(house: House) -> Iterator[Outcome]:
    """The same for `mars run`, and for `make`, where each stage is a process below it."""
    words = RUN[2:]
    door = [f"{name.upper()}={value}" for name, value in (word.split("=", 1) for word in words if "." not in word)]
    stages = [word for word in words if "." in word]
    for name, command, given in (
        ("mars run", (MARS,), list(RUN)),
        ("make", MAKE, ["mars", *door, *stages]),
    ):
        for signum in (signal.SIGTERM, signal.SIGINT):
            house.clear()
            process = house.run_until(f"runs/stages/*.part/{CHECKPOINT}", *given, command=command)
            os.killpg(process.pid, signum)
            code = process.wait(timeout=120)
            yield _ended(house, code, signum, f"{signum.name} to a fit under {name}", make=name == "make")
    house.clear()


def _ended(house: House, code: int, signum: signal.Signals, fault: str, make: bool = False) -> Outcome:
    said = house.said()
    until = time.monotonic() + PATIENCE
    while (left := alive(house.mark)) and time.monotonic() < until:
        time.sleep(0.1)
    wanted = {128 + signum, -signum, 2} if make else {128 + signum}  # make has codes of its own
    lines = [line for line in said.splitlines() if line.startswith("mars: ")]
    right = code in wanted and bool(lines) and "Traceback" not in said and not left
    came = f"exit code {code}, {len(left)} processes left; {lines[-1] if lines else last_line(said)}"
    return Outcome(fault, came[:150], right, said)
