"""`kill -9` at random moments, spread over the time of all stages: what is left in the end are the same bytes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from tests.faults.house import RUN, House
from tests.faults.outcome import Outcome

KILLS = 20
SLOWER = 1.5
"""A run that begins anew so often takes this many times as long: kills are spread over that."""


def kills(house: House, count: int = KILLS, seed: int = 0) -> Iterator[Outcome]:
    """Run MARS undisturbed, then once more under kills; yield an outcome a kill, and one of what is left.

    Args:
        house: its runs are forgotten first.
        count: of kills.
        seed: of their moments.
    """
    house.clear()
    start = time.monotonic()
    code, said = house.run(*RUN)
    seconds, whole = time.monotonic() - start, house.left()
    yield Outcome("undisturbed run", f"{seconds:.0f} s, {len(whole)} files", code == 0 and bool(whole), said)
    house.clear()
    chance = random.Random(seed)
    for number in range(count):
        # of equal stretches of the run's time a moment of each: no stage is long enough to be spared
        stretch = SLOWER * seconds / count
        code = house.run_for(chance.uniform(0.5, 1.5) * stretch, *RUN)
        where = house.unfinished()
        came = "it had ended" if code is None else f"killed in {where}"
        yield Outcome(f"kill -9, {number + 1} of {count}", came, code in (None, -9))
    code, said = house.run(*RUN)
    left = house.left()
    different = sorted(name for name in whole if left.get(name) != whole[name])
    same = not different and left.keys() == whole.keys()
    came = "the run goes on to its end" if code == 0 else "the run does not end"
    yield Outcome("and at last let alone", came, code == 0 and same, said + "\n".join(different), same)
