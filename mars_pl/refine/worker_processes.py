"""Processes for what holds the GIL: dense CRF and PNG encoding."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver

import torch


def worker_processes(count: int, module: str) -> ProcessPoolExecutor:
    """Return an executor of ``count`` processes with a torch thread each; they start with the calls that need them.

    Args:
        count: of processes.
        module: whose functions they will run, imported once for all.
    """
    # forkserver: a fork of a process that has run OpenMP threads can hang in the child.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "mars_pl.refine.orphaned_start", module])
    _start_server()
    return ProcessPoolExecutor(count, context, initializer=_begin)


def _start_server() -> None:
    """Start the process that forks the workers so that ctrl-C, which reaches it too, finds no Python that imports."""
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which a new process inherits
        try:
            forkserver.ensure_running()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C reaches all of a terminal's; whoever gave the work ends us
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Where the process that gave the work is killed, nobody ends its workers: they would write on, and then wait."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
