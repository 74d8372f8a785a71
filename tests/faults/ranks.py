"""One of two processes is killed, or cannot read its image: the job ends within seconds, and its last lines say why."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.house import MARS, House, alive
from tests.faults.jobs import TWO
from tests.faults.outcome import Outcome

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--no-python", MARS)
SECONDS = 60.0
"""Within which a job has ended: torchrun itself gives the others up to thirty seconds."""

KILLED = r"of this job was ended by SIGKILL|another process of this job is gone|terminated with code -9|\(SIGKILL\)"
"""Who notices first says it: the process that is left, Lightning's launcher, or torchrun."""

TAIL = 12
"""Lines at the end in which a person looks for the reason."""


def ranks(house: House) -> Iterator[Outcome]:
    """Yield an outcome a launcher and fault."""
    for launcher, command in (("Lightning", (MARS,)), ("torchrun", TORCHRUN)):
        for fault in ("killed", "an image is gone"):
            out = f"ranks/{launcher}-{fault.split()[0]}"
            words = house.job("fit", "wsss/cam", out=out, more=("--trainer.max_epochs", "1000", *TWO))
            process = house.run_until(f"{out}/checkpoints/last.ckpt", *words, command=command)
            image = house.folder / "data/tiny/JPEGImages/s3_00003.jpg"
            away = image.with_suffix(".away")
            start = time.monotonic()
            if fault == "killed":
                os.kill(_second(house), signal.SIGKILL)
                wanted = KILLED
            else:
                image.rename(away)
                wanted = rf"mars: error: data/tiny/JPEGImages/{image.name}: no such image"
            code = process.wait(timeout=180)
            seconds = time.monotonic() - start
            if away.is_file():
                away.rename(image)
            time.sleep(1)
            said, left = house.said(), alive(house.mark)
            tail = said.splitlines()[-TAIL:]
            right = code != 0 and seconds < SECONDS and not left and any(re.search(wanted, line) for line in tail)
            came = f"ended after {seconds:.0f} s, {len(left)} processes left; its last lines say why"
            yield Outcome(f"2 processes of {launcher}, of one {fault}", came if right else "see above", right, said)


def _second(house: House) -> int:
    """Return the process that is the job's second, and not one of its data workers."""
    found = []
    for process in alive(house.mark):
        environment = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        if b"LOCAL_RANK=1" in environment:
            found.append(process)
    return min(found)  # its workers were started later
