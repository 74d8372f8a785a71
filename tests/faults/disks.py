"""Disks that are full and files that are cut short: one line that names the file, and nothing that was good is lost."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.faults.house import House
from tests.faults.jobs import CHECKPOINT, Job, compare, jobs
from tests.faults.outcome import Outcome
from tests.faults.values import one_line

SMALLEST = 20_000
"""Bytes of a file beyond which the full disk takes none."""

ALONE = ("--data.init_args.workers", "0", "--writer.init_args.workers", "0")
"""A predict job in one process, which the limit is set for."""


def disks(house: House) -> Iterator[Outcome]:
    """Yield an outcome a fault."""
    fit, _, predict, _ = jobs(house)
    yield _full(house, fit, "checkpoint")
    yield _full(house, replace(predict, name="predict-alone", more=(*predict.more, *ALONE)), "label", 100)
    yield from _cut_checkpoints(house, fit)
    yield from _cut_files(house, predict)
    words = fit.words(house, "/proc/mars")
    yield one_line(house, "a folder that nobody can write to", words, r"/proc/mars")
    (house.folder / "file").touch()
    yield one_line(house, "a file in the folder's place", fit.words(house, "file/below"), r"file")


def _full(house: House, job: Job, what: str, most: int = SMALLEST) -> Outcome:
    """Let the disk take no file above a size while the job is in the midst of its work; then make room and go on.

    The system's limit of a file's size (EFBIG) stands for the full disk (ENOSPC): both come from the same write.
    """
    out = f"full/{job.name}"
    process = house.run_until(f"{out}/{job.sign}", *job.words(house, out))
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
    code = process.wait(timeout=300)
    said = house.said()
    lines = [line for line in said.splitlines() if line.startswith("mars: error: ")]
    told = code == 1 and len(lines) == 1 and "Traceback" not in said
    same = compare(house, job, out)
    came = f"exit code {code}; {lines[-1] if lines else 'no line'}"
    return Outcome(f"no room for a {what}", came[:150], told and same, said, same)


def _cut_checkpoints(house: House, fit: Job) -> Iterator[Outcome]:
    """Cut the newest checkpoint of a killed fit, then the one before it too."""
    out = "cut/fit"
    process = house.run_until(f"{out}/checkpoints/previous-last.ckpt", *fit.words(house, out))
    process.kill()
    process.wait()
    last = house.folder / out / CHECKPOINT
    shutil.copytree(house.folder / out, house.folder / "cut/both")
    _cut(last)
    same = compare(house, fit, out)
    said = house.said()
    came = "said in a line, the one before it is taken" if "going on from the one before it" in said else "silent"
    yield Outcome("last.ckpt cut short", came, same and came != "silent", said, same)
    for name in ("last.ckpt", "previous-last.ckpt"):
        _cut(house.folder / "cut/both/checkpoints" / name)
    words = fit.words(house, "cut/both", again=True)
    yield one_line(house, "both checkpoints cut short", words, r"last.ckpt: cannot be read as a checkpoint")


def _cut_files(house: House, predict: Job) -> Iterator[Outcome]:
    """Cut what one stage hands to the next."""
    whole = house.folder / "whole/fit/weights.safetensors"
    shutil.copy(whole, house.folder / "cut.safetensors")
    _cut(house.folder / "cut.safetensors")
    weights = predict.words(house, "cut/weights")
    weights[weights.index("whole/fit/weights.safetensors")] = "cut.safetensors"
    yield one_line(house, "weights cut short", weights, r"cut.safetensors: ")
    labels = house.folder / "cut/labels"
    shutil.copytree(house.folder / "data/tiny/SegmentationClass", labels)
    _cut(sorted(labels.glob("*.png"))[0])
    segmenter = ("segment/segment", "segment/deeplabv3plus", "segment/deeplabv3plus_scenes", "train/baseline")
    folder = ("--data.init_args.label_folder", str(labels))
    words = house.job("fit", *segmenter, out="cut/segment", more=folder)
    yield one_line(house, "a label cut short", words, rf"{sorted(labels.glob('*.png'))[0].name}: ")
    name = sorted((house.folder / "data/tiny/JPEGImages").glob("*.jpg"))[0]
    kept = name.read_bytes()
    _cut(name)
    yield one_line(house, "an image cut short", predict.words(house, "cut/image"), rf"{name.name}: ")
    name.write_bytes(kept)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
