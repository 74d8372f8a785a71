"""Measures one subject in this process, on one core, and prints the numbers as JSON."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

REPEATS = 5
"""Timed calls, after one that is not."""

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def measure(call: Callable[[], object], repeats: int = REPEATS) -> dict[str, float | None]:
    """Return the median of wall and processor seconds of a call, and the memory it takes in MiB.

    `peak` is the most that the process held while the calls ran, `more` what it held less before; None where the
    system does not tell (Linux does).
    """
    before = _resident("VmRSS")
    if before is not None:
        CLEAR.write_text("5")  # the peak begins anew
    call()
    walls, cores = [], []
    for _ in range(repeats):
        wall, core = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cores.append(time.process_time() - core)
    peak = _resident("VmHWM")
    more = None if peak is None or before is None else peak - before
    return {"wall": median(walls), "core": median(cores), "peak": peak, "more": more}


def _resident(field: str) -> float | None:
    if not STATUS.is_file():
        return None
    found = re.search(rf"^{field}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else None


if __name__ == "__main__":
    import torch

    from tests.benchmarks.ratios import SUBJECTS

    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(json.dumps(measure(SUBJECTS[sys.argv[1]]())))
