"""Fuzz every reader for long: `python -m tests.fuzz [MUTANTS A READER]`; a table, and exit 1 where one did not hold."""

from __future__ import annotations

import math
import multiprocessing
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.fuzz.many import fuzz
from tests.fuzz.readers import READERS

ALL = 10_000
"""Mutants of all readers together, by default."""
SLOWEST, LARGEST = 10.0, 1024.0
"""Seconds and MiB that no mutant may exceed."""


def main(count: int) -> int:
    """Fuzz all readers, print the table, and return 1 where one was not as it should be."""
    table = Table(*("reader", "mutants", "refused", "read", "uncaught", "slowest, s", "peak, MiB"))
    context, faults, total = multiprocessing.get_context("fork"), [], 0
    kept = Path(tempfile.mkdtemp(prefix="mutants-"))
    for name in READERS:
        ours, theirs = context.Pipe(duplex=False)
        folder = kept / name.replace("/", "-").replace(" ", "-")
        process = context.Process(target=fuzz, args=(name, count, folder / "now", theirs))
        process.start()
        theirs.close()
        try:
            found = ours.recv()
        except EOFError:
            process.join()
            faults.append(f"{name}: the process ended with {process.exitcode}; its file is in {folder / 'now'}")
            table.add_row(name, "", "", "", "crash", "", "")
            continue
        process.join()
        total += found["mutants"]
        numbers = [f"{found[key]:,}" for key in ("mutants", "refused", "read")]
        table.add_row(name, *numbers, str(len(found["uncaught"])), f"{found['slowest']:.2f}", f"{found['peak']:.0f}")
        faults += [f"{name}: {text}" for text in sorted(set(found["uncaught"]))]
        if found["slowest"] > SLOWEST or found["peak"] > LARGEST:
            faults.append(f"{name}: {found['slowest']:.1f} s, {found['peak']:.0f} MiB")
    console = Console()
    console.print(table)
    console.print(f"{total:,} mutants of {len(READERS)} readers, {len(faults)} faults", markup=False)
    for fault in faults:
        console.print(fault, markup=False, soft_wrap=True)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else math.ceil(ALL / len(READERS))))
