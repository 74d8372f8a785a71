"""A list and its image labels at the size of Open Images: `python -m tests.benchmarks image_labels [IMAGES …]`.

What every process of a job holds of them: the ids, and the classes of each image. Rows are in another order than the
list, which is the worst case. Nothing is asserted.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.terminal import terminal
from tests.benchmarks.process_memory import resident
from tests.benchmarks.sizes import CLASSES, OPEN_IMAGES, THREADS, table_of_sizes
from tests.benchmarks.sizes import main as run

SIZES = ("10_000", "100_000", "1_000_000")
"""Images; those of Open Images are 9_011_219 and want a gigabyte of memory."""

SHOWN = 5
"""Classes of an image."""

VECTORS = 1000
"""So many images are asked for their vectors."""

NAMES = ("background", *(f"class {index}" for index in range(1, CLASSES)))


def main(sizes: list[str]) -> int:
    """Measure each size and print the table; returns how many failed."""
    headings = ("list s", "labels s", "bytes of an id", "of a label", "all MB", "peak MiB", "vector µs", "table MB")
    failed = table_of_sizes("image_labels", sizes or SIZES, headings, _row)
    vector, what = 4 * (CLASSES - 1), f"{CLASSES:,} classes, {SHOWN} an image"
    terminal().print(f"{THREADS} threads of {os.cpu_count()} cores, {what}; a vector of each image: {vector:,} bytes")
    return failed


def _row(images: int, found: dict[str, Any]) -> tuple[str, ...]:
    each = (found["ids"] / images, found["labels"] / images)
    held = f"{(found['ids'] + found['labels']) / 1e6:,.1f}"
    seconds = (f"{found['list']:.2f}", f"{found['read']:.2f}")
    rest = (held, f"{found['peak']:,.0f}", f"{found['vector']:.1f}", f"{found['bytes'] / 1e6:,.1f}")
    return (*seconds, *(f"{one:.1f}" for one in each), *rest)


def generate(folder: Path, images: int, seed: int = 0) -> None:
    """Write a list and, in another order, the labels of so many images."""
    from datamodules.files.image_ids import ImageIds
    from datamodules.files.image_labels import LABEL_TABLE, ImageLabels, write_table

    draw = np.random.default_rng(seed)
    values = draw.permutation(np.unique(draw.integers(0, 2**63, images)))
    (folder / "list.txt").write_text("".join(f"{value:016x}\n" for value in values))
    # the k-th class is shown 1/k as often as the first; an image that draws one twice shows one less
    classes = np.exp(draw.random((images, SHOWN)) * np.log(CLASSES - 1)).astype(np.uint16)
    classes.sort(axis=1)
    new = np.ones(classes.shape, np.bool_)
    new[:, 1:] = classes[:, 1:] != classes[:, :-1]
    starts = np.append(0, np.cumsum(new.sum(axis=1)))
    ids = ImageIds(f"{value:016x}" for value in draw.permutation(values))
    write_table(folder / LABEL_TABLE, ids, ImageLabels(classes[new], starts, CLASSES - 1), NAMES)


def measure(folder: Path, images: int) -> dict[str, Any]:
    """Read both as a job does, and return what it cost."""
    from datamodules.files.image_labels import LABEL_TABLE, read_image_labels
    from datamodules.files.image_list import read_ids

    before = time.perf_counter()
    ids = read_ids(folder / "list.txt")
    listed = time.perf_counter()
    labels = read_image_labels(folder, ids, NAMES)
    after = time.perf_counter()
    assert labels is not None
    places = np.random.default_rng(1).integers(0, images, VECTORS).tolist()
    begun = time.perf_counter()
    for place in places:
        labels.vector(place)
    each = (time.perf_counter() - begun) / VECTORS
    return {
        "list": listed - before,
        "read": after - listed,
        "ids": ids.nbytes,
        "labels": labels.nbytes,
        "shown": float(labels.counts().sum() / images),
        "vector": 1e6 * each,
        "peak": resident("VmHWM") or 0.0,
        "bytes": (folder / LABEL_TABLE).stat().st_size,
        "open images MB": (ids.nbytes + labels.nbytes) / images * OPEN_IMAGES / 1e6,
    }


if __name__ == "__main__":
    run(generate, measure)
