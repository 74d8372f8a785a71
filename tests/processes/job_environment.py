"""What a job that a test starts beside itself finds in its environment."""

from __future__ import annotations

import os

from tests.pipeline.tiny_run import REPOSITORY


def environment_of_job() -> dict[str, str]:
    """The tests' environment for a job beside them: this checkout, one thread, and no seed of an earlier one."""
    own = {name: value for name, value in os.environ.items() if name != "PL_GLOBAL_SEED"}
    return own | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
