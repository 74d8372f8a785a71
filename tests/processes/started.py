"""A job as a person starts it: the console script, in one process or several."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.pipeline.tiny_run import REPOSITORY


def start(words: Sequence[object], house: Path, processes: int) -> subprocess.CompletedProcess[str]:
    """Run `mars` with `words` in `house`; returns the ended process with what it said.

    Where the script itself is not the matter, `forked_jobs` runs the same without the imports of each process.
    """
    several = ["--trainer.strategy", "ddp", "--trainer.devices", str(processes)] if processes > 1 else []
    command = [str(Path(sys.executable).with_name("mars")), *map(str, words), *several]
    environment = {name: value for name, value in os.environ.items() if name != "PL_GLOBAL_SEED"}
    environment |= {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, timeout=300)
