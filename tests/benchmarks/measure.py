"""Measures one subject in this process, on one core, and prints the numbers as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.benchmarks.process_memory import resident

REPEATS = 5
"""Timed calls, after one that is not."""

CLEAR = Path("/proc/self/clear_refs")


def measure(call: Callable[[], object], repeats: int = REPEATS) -> dict[str, float | None]:
    """Return the median of wall and processor seconds of a call, and the memory it takes in MiB.

    `peak` is the most that the process held while the calls ran, `more` what it held less before; None where the
    system does not tell (Linux does).
    """
    before = resident("VmRSS")
    if before is not None:
        CLEAR.write_text("5")  # the peak begins anew
    call()
    walls, cores = [], []
    for _ in range(repeats):
        wall, core = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cores.append(time.process_time() - core)
    peak = resident("VmHWM")
    more = None if peak is None or before is None else peak - before
    return {"wall": median(walls), "core": median(cores), "peak": peak, "more": more}


if __name__ == "__main__":
    import torch

    from tests.benchmarks.ratios import SUBJECTS

    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(json.dumps(measure(SUBJECTS[sys.argv[1]]())))
