"""Cause every fault on a tiny run of the real commands: `python -m tests.faults [KIND …]`.

Prints a table, and ends with 1 where something was lost or silent.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults.disks import disks
from tests.faults.house import House
from tests.faults.kills import kills
from tests.faults.outcome import Outcome, show
from tests.faults.ranks import ranks
from tests.faults.signals import signals
from tests.faults.values import values

KINDS = {"values": values, "disks": disks, "ranks": ranks, "signals": signals, "kills": kills}


def outcomes(names: list[str]) -> Iterator[Outcome]:
    """Cause the faults of these kinds, or of all, one after the other."""
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        house = House(Path(place) / "house")
        for name in names or KINDS:
            yield from KINDS[name](house)


if __name__ == "__main__":
    sys.exit(min(1, show(outcomes(sys.argv[1:]))))
