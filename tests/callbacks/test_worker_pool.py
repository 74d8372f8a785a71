import os

import pytest

from callbacks.worker_pool import WorkerPool


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
