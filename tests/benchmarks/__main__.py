"""The table of `make bench`; names of subjects on the command line choose some of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from rich.box import SIMPLE_HEAD
from rich.table import Table

from datamodules.terminal import terminal
from tests.benchmarks.measure import REPEATS
from tests.benchmarks.subjects import SUBJECTS

ONE_CORE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main(names: list[str]) -> int:
    """Measure each subject in a process of its own and print the table; returns how many failed."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for heading in ("seconds", "core seconds", "peak MiB", "of it by the call"):
        table.add_column(heading, justify="right", no_wrap=True)
    failed = 0
    load = os.getloadavg()[0]
    for name in names or SUBJECTS:
        words = (SUBJECTS[name].__doc__ or "").strip()
        command = [sys.executable, "-m", "tests.benchmarks.measure", name]
        done = subprocess.run(command, env=os.environ | ONE_CORE, capture_output=True, text=True)
        if done.returncode:
            failed += 1
            table.add_row(words, (done.stderr.strip().splitlines() or ["failed"])[-1], style="red")
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        memory = ("–" if found[key] is None else f"{found[key]:,.0f}" for key in ("peak", "more"))
        table.add_row(words, f"{found['wall']:.3f}", f"{found['core']:.3f}", *memory)
    console = terminal()
    console.print(table)
    console.print(
        f"one core of {os.cpu_count()}, median of {REPEATS}; load average before: {load:.1f}", highlight=False
    )
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
