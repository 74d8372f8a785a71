"""A fit as a person starts it, by the console script, in one process or several."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.pipeline.tiny_run import REPOSITORY

BATCH = 6
TEN = ["--trainer.max_epochs", "10", "--data.init_args.batch_size", str(BATCH)]
"""A batch of six of seven images: ten epochs are ten optimiser steps."""


def start(words: Sequence[str], house: Path, processes: int) -> subprocess.CompletedProcess[str]:
    """Run `mars` with `words` in `house`; returns the ended process with what it said."""
    several = ["--trainer.strategy", "ddp", "--trainer.devices", str(processes)] if processes > 1 else []
    command = [str(Path(sys.executable).with_name("mars")), *map(str, words), *several]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, timeout=300)


def started(house: Path, words: Sequence[str], processes: int, folder: str) -> subprocess.CompletedProcess[str]:
    """Run `mars` with these words in a folder below a house."""
    return start([*words, "--trainer.default_root_dir", folder], house, processes)


def assert_said(done: subprocess.CompletedProcess[str], batch: int, processes: int) -> None:
    """It ended well, and told the batch of a step and how the processes share it."""
    assert done.returncode == 0, done.stderr
    said = f"{batch}" if processes == 1 else f"{batch} = {processes} processes × {batch // processes}"
    assert f"batch of an optimiser step: {said}\n" in done.stdout + done.stderr


def check_processes_agree(house: Path, words: Sequence[str], name: str, counts: Sequence[int] = (1, 2, 3)) -> None:
    """Fit in so many processes: each says the whole batch, and all leave the weights of the first to 1e-4."""
    weights = []
    for count in counts:
        done = started(house, words, count, f"runs/{name}-{count}")
        assert_said(done, BATCH, count)
        weights.append(load_file(house / f"runs/{name}-{count}" / "weights.safetensors"))
    for other in weights[1:]:
        assert other.keys() == weights[0].keys()
        for key, value in weights[0].items():
            torch.testing.assert_close(other[key], value, rtol=0, atol=1e-4, msg=key)
