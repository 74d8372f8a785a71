from __future__ import annotations

import os

import pytest
import torch

from tests.fakes.fake_tree import make_voc_tree
from tests.fakes.shards import bucket  # noqa: F401 - a fixture
from tests.pipeline.tiny_run import TinyRun

os.environ["OMP_NUM_THREADS"] = "1"  # of what the tests start; networks this small only wait for a second thread
torch.set_num_threads(1)  # and of the tests themselves


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one process, and all that use the tiny run, so that nothing costly is made twice."""
    for item in items:
        shares_run = "tiny_run" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("tiny_run" if shares_run else item.nodeid.partition("::")[0]))


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> TinyRun:
    """The pipeline on eight images of 40 to 64 pixels; a stage is made when a test first asks for it."""
    house = tmp_path_factory.mktemp("tiny")
    make_voc_tree(house / "data" / "voc", 8, image_labels="npy")
    return TinyRun(house)
