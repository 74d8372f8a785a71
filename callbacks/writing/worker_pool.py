"""Calls that worker processes take off a predict job, with a bounded backlog."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Generic, ParamSpec, TypeVar

import pytorch_lightning as pl

from datamodules.processes import cores
from mars_pl.refine.worker_processes import worker_processes

MOST_WORKERS = 16
"""Above this one GPU no longer keeps them busy, and each holds some hundred megabytes."""

P = ParamSpec("P")
T = TypeVar("T")


def worker_count(workers: int | None, trainer: pl.Trainer) -> int:
    """Return the workers of one training process: as many as were asked for, or its share of the cores it may use."""
    if workers is not None:
        return workers
    return min(MOST_WORKERS, max(1, cores() // trainer.num_devices))


class WorkerPool(Generic[T]):
    """Run functions in worker processes with a bounded backlog and hand their results back in order.

    Args:
        workers: processes; 0 runs each call at once in this process (for PAMR on a GPU, and for tests).
    """

    def __init__(self, workers: int) -> None:
        self._workers, self._backlog = workers, 4 * workers
        self._pending: deque[Future[T]] = deque()
        self._done: deque[T] = deque()
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
        """Queue one call, waiting while the backlog is full; all of it must pickle, so pass arrays, not tensors."""
        if self._workers == 0:
            self._done.append(function(*args, **kwargs))
            return
        if self._executor is None:
            self._executor = worker_processes(self._workers, function.__module__)
        self._pending.append(self._executor.submit(function, *args, **kwargs))
        while len(self._pending) > self._backlog:
            self._done.append(self._pending.popleft().result())

    def results(self) -> Iterator[T]:
        """Yield, in the order of submission, what has been taken in so far; each result once."""
        while self._done:
            yield self._done.popleft()

    def close(self) -> None:
        """Wait for every call and raise the first error one of them ended in."""
        try:
            while self._pending:
                self._done.append(self._pending.popleft().result())
        finally:
            if self._executor is not None:
                self._executor.shutdown(wait=True, cancel_futures=True)
