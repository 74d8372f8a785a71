"""The stage of the debiased labels over many tiny images, killed once: `python -m tests.benchmarks labels [IMAGES …]`.

Images, labels and features are a few generated files under many names, in a folder of one's own. The job is
`mars predict` as a run would start it, with stored features and without a refinement; it is killed when half of the
images are done, and goes on. Nothing is asserted but that every image has its label and is counted once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from datamodules.terminal import terminal
from tests.benchmarks.process_memory import Watch
from tests.benchmarks.sizes import CLASSES, table_of_sizes
from tests.benchmarks.sizes import main as run

SIZES = ("10_000",)
"""Images; 100_000 take some ten minutes."""

FILES = 256
"""Files that the images are; a file system may allow 65,000 names of each."""

SIDE, CELLS, DIM = 64, 8, 70
"""Sides of an image in pixels and in cells of its features, and numbers a cell."""

NAMES = ("background", *(f"class {index}" for index in range(1, CLASSES)))

OUTPUT = "out"

PLACES = {"images": "jpg", "pseudo": "png", "features": "npy"}
"""Folder below the data folder → suffix of its files."""

LAYERS = ("data/folder", "debias/labels", "uss/stored_features", "trainer/cpu", "labels.yaml")


def main(sizes: list[str]) -> int:
    """Measure each size and print the table; returns how many failed."""
    headings = ("seconds", "ms an image", "done when killed", "RSS MiB at 1/10", "1/2", "the end", "all processes")
    failed = table_of_sizes("labels", sizes or SIZES, headings, _row, threads="1")
    what = f"{SIDE}×{SIDE} pixels, {CLASSES:,} classes, {DIM} numbers a cell of {SIDE // CELLS} pixels"
    terminal().print(f"one thread of {os.cpu_count()} cores, one worker; {what}, no refinement")
    return failed


def _row(images: int, found: dict[str, Any]) -> tuple[str, ...]:
    memory = (f"{found[name]:,.0f}" for name in ("tenth", "half", "peak", "all"))
    return (f"{found['seconds']:.0f}", f"{1e3 * found['seconds'] / images:.1f}", f"{found['killed']:,}", *memory)


def generate(folder: Path, images: int, seed: int = 0) -> None:
    """Write so many names of a few files, their table of image labels, and centroids."""
    import torch
    import yaml
    from safetensors.torch import save_file

    from datamodules.files.features import write_features
    from datamodules.files.labels import as_label, write_label

    draw = np.random.default_rng(seed)
    root, files = folder / "data", folder / "files"
    for place in (files, *(root / name for name in PLACES)):
        place.mkdir(parents=True)
    pairs = np.sort(draw.integers(1, CLASSES - 1, (FILES, 2)), axis=1)
    pairs[:, 1] += 1
    for number, (first, second) in enumerate(pairs.tolist()):
        colours = draw.integers(0, 256, (CELLS, CELLS, 3)).astype(np.uint8)
        Image.fromarray(colours).resize((SIDE, SIDE)).save(files / f"{number}.jpg", quality=90)
        mask = np.zeros((SIDE, SIDE), np.int64)
        mask[8:40, 8:40], mask[24:60, 44:60] = first, second
        write_label(files / f"{number}.png", as_label(mask, CLASSES))
        write_features(files / f"{number}.npy", draw.standard_normal((DIM, CELLS, CELLS)))
    with (root / "labels.csv").open("w") as table:
        table.write("image,classes\n")
        for number in range(images):
            for place, suffix in PLACES.items():
                os.link(files / f"{number % FILES}.{suffix}", root / place / f"{number:08d}.{suffix}")
            shown = ";".join(NAMES[label_id] for label_id in pairs[number % FILES])
            table.write(f"{number:08d}.jpg,{shown}\n")
    (root / "classes.txt").write_text("".join(f"{name}\n" for name in NAMES[1:]))
    centroids = torch.nn.functional.normalize(torch.from_numpy(draw.standard_normal((CLASSES, DIM))).float())
    save_file({"centroids": centroids}, folder / "centroids.safetensors")
    data = {"root": str(root), "label_folder": "pseudo", "feature_folder": "features", "workers": 1}
    writer = {"refine": None, "workers": 1, "output": OUTPUT, "resume": True}
    settings = {
        "model": {"init_args": {"centroids": str(folder / "centroids.safetensors")}},
        "data": {"init_args": data},
        "writer": {"init_args": writer},
        "trainer": {"default_root_dir": str(folder), "logger": False, "enable_progress_bar": False},
    }
    (folder / "labels.yaml").write_text(yaml.safe_dump(settings))


def measure(folder: Path, images: int) -> dict[str, Any]:
    """Run the job, kill it at half, let it go on, and return what it took."""
    begun = time.perf_counter()
    first = _job(folder, images, until=images // 2)
    second = _job(folder, images)
    seconds = time.perf_counter() - begun
    summary = json.loads((folder / OUTPUT / "removed.json").read_text())
    labels = sum(path.suffix == ".png" for path in (folder / OUTPUT).iterdir())
    if summary["images"] != images or labels != images:
        raise SystemExit(f"{labels} labels, {summary['images']} images counted, {images} wanted")
    return {
        "seconds": seconds,
        "killed": first.done,
        "tenth": first.at(images // 10),
        "half": first.at(images // 2),
        "peak": second.peak,
        "all": max(first.all, second.all),
    }


def _job(folder: Path, images: int, until: int | None = None) -> Watch:
    """Start the job and watch it; kill it once so many images are done."""
    words = [word for layer in LAYERS for word in ("-c", layer)]
    command = [sys.executable, "-c", "from mars_pl.cli.main import console; console()", "predict", *words]
    with (folder / "log.txt").open("a") as log:
        job = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        watch = Watch(job.pid, folder / OUTPUT)
        while job.poll() is None:
            watch.look()
            if until is not None and watch.done >= until:
                os.killpg(job.pid, signal.SIGKILL)
                job.wait()
                return watch
            time.sleep(1)
    if job.returncode:
        raise SystemExit((folder / "log.txt").read_text()[-2000:])
    return watch


if __name__ == "__main__":
    run(generate, measure)
