"""What a machine offers a run, row by row; nothing heavy is imported to tell it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from datamodules.processes import cores
from datamodules.terminal import GIB, size_words
from mars_pl.pipeline.machine import best_trainer, gpu_count
from mars_pl.training.weight_files import MARS_WEIGHTS
from mars_pl.version import BEHIND_FIGURES, installed_version

PACKAGES = (*BEHIND_FIGURES, "torchmetrics", "scikit-learn")
OPTIONAL = (
    ("pydensecrf", "the dense CRF", "pip install 'mars-pl[crf]'; without it take PAMR or no refinement"),
    ("onnxruntime", "mars export", "pip install 'mars-pl[export]'"),
    ("faiss", "STEGO's neighbours of more than 50,000 crops", "pip install 'mars-pl[faiss]'; without it all pairs do"),
    ("wandb", "dashboards", "pip install wandb"),
)
"""Package, what it is for, how to have it."""

LEAST_SHARED, LEAST_DISK, LEAST_FILES = 2 * GIB, 20 * GIB, 1024
"""Of shared memory, through which reading processes hand on batches; of disk; of files open at once."""


class Row(NamedTuple):
    """One line.

    Attributes:
        what: that was looked at.
        found: about it.
        remedy: what to do; empty where nothing need be done.
    """

    what: str
    found: str
    remedy: str = ""


def machine_rows(folder: Path) -> Iterator[Row]:
    """Yield what there is of packages, processors, memory, weights and disk.

    Args:
        folder: in which runs will be made.
    """
    yield Row("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield from (_package(name) for name in PACKAGES)
    for name, purpose, remedy in OPTIONAL:
        there = find_spec(name) is not None
        yield Row(name, f"{'here' if there else 'missing'}: {purpose}", "" if there else remedy)
    yield Row("cores", str(cores()))
    count = gpu_count()
    yield Row("GPUs", str(count) if count else "none: every stage runs on the processor")
    yield Row("trainer", f"{best_trainer()}, which a run takes where no trainer= is given")
    yield from _memory()
    yield _weights(folder)
    yield _hub()
    yield from _limits(folder)


def _package(name: str) -> Row:
    found = installed_version(name)
    return Row(name, found) if found else Row(name, "missing", f"pip install {name}")


def _memory() -> Iterator[Row]:
    told = Path("/proc/meminfo")
    if told.is_file():
        fields = dict(line.split(":", 1) for line in told.read_text().splitlines())
        yield Row("memory", size_words(1024 * int(fields["MemAvailable"].split()[0])) + " free")
    shared = Path("/dev/shm")
    if shared.is_dir():
        total = shutil.disk_usage(shared).total
        remedy = "" if total >= LEAST_SHARED else "docker run --shm-size=8g, or data.workers=0"
        yield Row("shared memory", size_words(total), remedy)


def _weights(folder: Path) -> Row:
    place = folder / os.environ.get(MARS_WEIGHTS, "weights")
    files = sorted(path.name for path in place.glob("*")) if place.is_dir() else []
    if not files:
        return Row("weights", f"none in {place}", "weights= names a folder; `mars run … -n` says which are missing")
    return Row("weights", f"{place}: {', '.join(files[:4])}{', …' if len(files) > 4 else ''}")


def _hub() -> Row:
    cache = Path(os.environ.get("HF_HOME", Path.home() / ".cache/huggingface"))
    offline = os.environ.get("HF_HUB_OFFLINE", "0").lower() not in ("", "0", "false")
    kept = sum(1 for _ in cache.glob("hub/models--timm--*"))
    return Row("timm's weights", f"{kept} models in {cache}{', and no network is asked' if offline else ''}")


def _limits(folder: Path) -> Iterator[Row]:
    free = shutil.disk_usage(folder).free
    remedy = "" if free >= LEAST_DISK else "VOC's run leaves some 20 GB of labels, tokens and checkpoints"
    yield Row("disk", f"{size_words(free)} free in {folder.absolute()}", remedy)
    try:
        import resource
    except ImportError:  # there is none on Windows
        return
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield Row("open files", str(files), "" if files < 0 or files >= LEAST_FILES else f"ulimit -n {LEAST_FILES}")
