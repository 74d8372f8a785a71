"""Processes for what holds the GIL: dense CRF and PNG encoding."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import torch


def worker_processes(count: int, module: str) -> ProcessPoolExecutor:
    """Return an executor of ``count`` processes with a torch thread each; they start with the calls that need them.

    Args:
        count: of processes.
        module: whose functions they will run, imported once for all.
    """
    # forkserver: a fork of a process that has run OpenMP threads can hang in the child.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", module])
    return ProcessPoolExecutor(count, context, initializer=torch.set_num_threads, initargs=(1,))
