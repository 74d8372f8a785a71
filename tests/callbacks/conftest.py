import multiprocessing
from multiprocessing import forkserver

import pytest


@pytest.fixture(scope="session", autouse=True)
def forks_of_an_importer():
    """Have the worker processes forked from one that has imported Lightning, or else each imports it for its test."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["pytorch_lightning"])
    forkserver.ensure_running()
