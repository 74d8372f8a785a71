import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from datamodules import bounded_map as module
from datamodules.bounded_map import bounded_map


def test_results_come_in_the_order_of_the_items():
    with ThreadPoolExecutor(4) as pool:
        assert list(bounded_map(pool, lambda item: 2 * item, range(5000))) == list(range(0, 10_000, 2))
        assert list(bounded_map(pool, str, ())) == []


def test_no_more_are_taken_than_may_wait(monkeypatch):
    monkeypatch.setattr(module, "BACKLOG", 5)
    taken = itertools.count()
    with ThreadPoolExecutor(2) as pool:
        results = bounded_map(pool, int, ((next(taken), item)[1] for item in itertools.count()))
        assert [next(results) for _ in range(10)] == list(range(10))
        results.close()
    assert next(taken) <= 15


def test_an_error_ends_it_and_what_waits_is_not_begun():
    gate, begun = threading.Event(), []

    def call(item):
        begun.append(item)
        if item == 0:
            raise ValueError("first")
        gate.wait(10)

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(ValueError, match="first"):
            list(bounded_map(pool, call, range(100)))
        gate.set()
    assert len(begun) < 100
