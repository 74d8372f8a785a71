"""A job as a person starts it: the console script, in one process or several."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.processes.forked_jobs import LONGEST
from tests.processes.job_environment import environment_of_job


def start(words: Sequence[object], house: Path, processes: int) -> subprocess.CompletedProcess[str]:
    """Run `mars` with `words` in `house`; returns the ended process with what it said.

    Where the script itself is not the matter, `forked_jobs` runs the same without the imports of each process.
    """
    several = ["--trainer.strategy", "ddp", "--trainer.devices", str(processes)] if processes > 1 else []
    command = [str(Path(sys.executable).with_name("mars")), *map(str, words), *several]
    return subprocess.run(command, cwd=house, env=environment_of_job(), capture_output=True, text=True, timeout=LONGEST)
