import os
from types import SimpleNamespace

import joblib
import pytest

from callbacks.writing.worker_pool import MOST_WORKERS, WorkerPool, worker_count


def square(value):
    if value == 13:
        raise RuntimeError("thirteen")
    return value * value, os.getpid()


@pytest.mark.parametrize("workers", [0, 1])
def test_results_come_in_order_each_once(workers):
    pool = WorkerPool(workers)
    found = []
    for value in range(9):
        pool.submit(square, value)
        found += pool.results()
    pool.close()
    found += pool.results()
    assert [result for result, _ in found] == [value * value for value in range(9)]
    assert all((process == os.getpid()) == (workers == 0) for _, process in found)


def test_an_error_in_a_worker_is_raised():
    pool = WorkerPool(1)
    pool.submit(square, 13)
    with pytest.raises(RuntimeError, match="thirteen"):
        pool.close()


@pytest.mark.parametrize(
    ("asked", "cores", "processes", "count"),
    [
        (None, 2, 1, 2),
        (None, 16, 4, 4),
        (None, 2, 4, 1),  # never none: 0 would refine on the trainer's device
        (None, 128, 1, MOST_WORKERS),
        (0, 16, 1, 0),
        (40, 2, 1, 40),
    ],
)
def test_workers_share_the_cores_of_a_machine_unless_a_number_is_asked_for(asked, cores, processes, count, monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: cores)
    assert worker_count(asked, SimpleNamespace(num_devices=processes)) == count
