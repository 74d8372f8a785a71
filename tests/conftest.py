from __future__ import annotations

import os

import pytest
import torch

from tests.fakes.fake_tree import make_voc_tree
from tests.fakes.shards import bucket  # noqa: F401 - a fixture
from tests.pipeline.tiny_run import TinyRun
from tests.processes.forked_jobs import ForkedJobs

os.environ["OMP_NUM_THREADS"] = "1"  # of what the tests start; networks this small only wait for a second thread
torch.set_num_threads(1)  # and of the tests themselves


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> TinyRun:
    """The pipeline on eight images of 40 to 64 pixels; a stage is made when a test first asks for it."""
    house = tmp_path_factory.mktemp("tiny")
    make_voc_tree(house / "data" / "voc", 8, image_labels="npy")
    return TinyRun(house)


@pytest.fixture(scope="session")
def forked_jobs():
    """Runs commands of `mars` in processes of their own, of which none waits for an import."""
    with ForkedJobs() as jobs:
        yield jobs
