"""The centroids stage's end at the size of Open Images: `python -m tests.benchmarks candidates [IMAGES …]`.

Candidates are generated as the processes of a job leave them, and selected among as the job's end does. Ids are in no
order, so every part is read at once, which is the worst case. Nothing is asserted.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.terminal import terminal
from tests.benchmarks.process_memory import resident
from tests.benchmarks.sizes import CLASSES, THREADS, table_of_sizes
from tests.benchmarks.sizes import main as run

SIZES = ("10_000", "100_000", "1_000_000")
"""Images; 9_011_219 are those of Open Images, and want 25 GB of disk and a quarter of an hour."""

DIM = 70
CLUSTERS = 2
TWO_CLASSES = 0.4
"""Share of the images that show two classes and not one: 4.8 candidates an image, background's among them."""


def main(sizes: list[str]) -> int:
    """Measure each size and print the table; returns how many failed."""
    headings = ("candidates", "seconds", "µs an image", "core seconds", "peak MiB", "table MB")
    failed = table_of_sizes("candidates", sizes or SIZES, headings, _row)
    terminal().print(f"{THREADS} threads of {os.cpu_count()} cores, {CLASSES:,} classes, {DIM} numbers a candidate")
    return failed


def _row(images: int, found: dict[str, Any]) -> tuple[str, ...]:
    each = f"{1e6 * found['seconds'] / images:.0f}"
    numbers = (f"{found['seconds']:.1f}", each, f"{found['core']:.1f}", f"{found['peak']:,.0f}")
    return (f"{found['candidates']:,}", *numbers, f"{found['bytes'] / 1e6:,.0f}")


def generate(folder: Path, images: int, seed: int = 0) -> None:
    """Write the parts of so many images."""
    from callbacks.writing.candidates import parts

    for number, start in enumerate(range(0, images, parts.IMAGES)):
        draw = np.random.default_rng([seed, number])
        count = min(parts.IMAGES, images - start)
        ids = [f"{value:016x}" for value in draw.integers(0, 2**63, count)]
        shown = 1 + (draw.random(count) < TWO_CLASSES)
        # the k-th class is shown 1/k as often as the first
        first = np.exp(draw.random(count) * np.log(CLASSES - 1)).astype(np.int32)
        second = first % (CLASSES - 1) + 1
        per_image = np.stack([np.zeros(count, np.int32), np.minimum(first, second), np.maximum(first, second)], 1)
        rows = np.arange(3) <= shown[:, None]
        classes = per_image[rows].repeat(CLUSTERS)
        vectors = draw.standard_normal((len(classes), DIM), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        columns = {
            "classes": classes,
            "clusters": np.tile(np.arange(CLUSTERS), len(classes) // CLUSTERS),
            "pixels": draw.integers(1, 100_000, len(classes)),
            "iou": np.where(classes > 0, draw.random(len(classes)), np.nan),
            "vectors": vectors,
        }
        path = folder / parts.NAME.format(rank=number % 2, number=number // 2)
        parts.write_part(path, ids, (1 + shown) * CLUSTERS, columns)


def measure(folder: Path, images: int) -> dict[str, Any]:
    """Do what the end of the job does, and return what it cost."""
    import torch

    from callbacks.writing.candidates import parts
    from callbacks.writing.candidates.merged import MergedParts
    from callbacks.writing.candidates.selecting import TableSelection
    from callbacks.writing.candidates.table_file import CANDIDATES

    torch.set_num_threads(int(THREADS))
    names = ("background", *(f"class {index}" for index in range(1, CLASSES)))
    before, core = time.perf_counter(), time.process_time()
    merged = MergedParts(parts.parts(folder))
    in_order = time.perf_counter()
    found = TableSelection(merged, names, {})
    chosen = time.perf_counter()
    summary = found.write(folder)
    after = time.perf_counter()
    return {
        "candidates": int(summary.before.sum()) + summary.background,
        "seconds": after - before,
        "core": time.process_time() - core,
        "ids": in_order - before,
        "selection": chosen - in_order,
        "writing": after - chosen,
        "peak": resident("VmHWM") or 0.0,
        "bytes": (folder / CANDIDATES).stat().st_size,
    }


if __name__ == "__main__":
    run(generate, measure)
