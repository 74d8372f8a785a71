"""The console script in one or several processes on a CPU, as a person starts them."""

import os
import subprocess
import sys
from pathlib import Path

from tests.pipeline.tiny_run import REPOSITORY


def start(words, house, processes):
    """Run `mars` with `words` in `house`; returns the ended process with what it said."""
    words = [*words, "--trainer.strategy", "ddp", "--trainer.devices", str(processes)] if processes > 1 else words
    command = [str(Path(sys.executable).with_name("mars")), *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, timeout=300)


def assert_said(done, batch, processes):
    """It ended well, and told the batch of a step and how the processes share it."""
    assert done.returncode == 0, done.stderr
    said = f"{batch}" if processes == 1 else f"{batch} = {processes} processes × {batch // processes}"
    assert f"batch of an optimiser step: {said}\n" in done.stdout + done.stderr
