"""One fit in one process and in several: what they say of its batch, and that they leave the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.processes.forked_jobs import Ended, ForkedJobs

BATCH = 6
TEN = ["--trainer.max_epochs", "10", "--data.init_args.batch_size", str(BATCH)]
"""A batch of six of seven images: ten epochs are ten optimiser steps."""


def assert_said(ended: Ended, processes: int) -> None:
    """It ended well, and told the batch of a step and how the processes share it."""
    assert ended.codes == [0] * processes, ended.said
    said = f"{BATCH}" if processes == 1 else f"{BATCH} = {processes} processes × {BATCH // processes}"
    assert f"batch of an optimiser step: {said}\n" in ended.said


def fit(jobs: ForkedJobs, house: Path, words: Sequence[object], processes: int, folder: Path) -> None:
    """Run a fit of a batch of six in so many processes, and see what it says."""
    assert_said(jobs.run(house, [*words, "--trainer.default_root_dir", folder], processes), processes)


def check_processes_agree(
    jobs: ForkedJobs, house: Path, words: Sequence[object], name: str, counts: Sequence[int] = (1, 2, 3)
) -> None:
    """Fit in so many processes: each says the whole batch, and all leave the weights of the first to 1e-4."""
    weights = []
    for count in counts:
        folder = house / f"runs/{name}-{count}"
        fit(jobs, house, words, count, folder)
        weights.append(load_file(folder / "weights.safetensors"))
    for other in weights[1:]:
        assert other.keys() == weights[0].keys()
        for key, value in weights[0].items():
            torch.testing.assert_close(other[key], value, rtol=0, atol=1e-4, msg=key)
