"""A subject at several numbers of images: each generated and measured in processes and a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from datamodules.terminal import terminal

CLASSES = 19_794
"""Of Open Images' image labels, background counted."""

OPEN_IMAGES = 9_011_219
"""Its images."""

THREADS = "2"

Row = Callable[[int, dict[str, Any]], Sequence[str]]
"""(Images, what was measured) → cells behind the number of images."""


def table_of_sizes(
    subject: str, sizes: Sequence[str], headings: Sequence[str], row: Row, threads: str = THREADS
) -> int:
    """Generate and measure each size, print a line of each and the table; returns how many failed.

    Args:
        subject: module of this package, which `main` below runs.
        sizes: numbers of images, as Python writes them.
        headings: behind `images`.
        row: of the table.
        threads: of each process.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("images", *headings):
        table.add_column(heading, justify="right", no_wrap=True)
    failed = 0
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix=f"{subject}-", dir=os.environ.get("TMPDIR")))
        try:
            _run(subject, "generate", folder, size, threads)
            found = json.loads(_run(subject, "measure", folder, size, threads).splitlines()[-1])
            table.add_row(f"{int(size):,}", *row(int(size), found))
            terminal(stderr=True).print(f"{int(size):,} images: {found}")
        except subprocess.CalledProcessError as error:
            failed += 1
            table.add_row(f"{int(size):,}", (error.stderr.strip().splitlines() or ["failed"])[-1], style="red")
        finally:
            shutil.rmtree(folder)
    terminal().print(table)
    return failed


def main(generate: Callable[[Path, int], None], measure: Callable[[Path, int], dict[str, Any]]) -> None:
    """Do what the command line says: `generate` or `measure`, a folder and a number of images."""
    what, folder, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if what == "generate":
        generate(folder, size)
    else:
        print(json.dumps(measure(folder, size)))


def _run(subject: str, what: str, folder: Path, size: str, threads: str) -> str:
    command = [sys.executable, "-m", f"tests.benchmarks.{subject}", what, str(folder), size]
    environment = os.environ | {"OMP_NUM_THREADS": threads}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
