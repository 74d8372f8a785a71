"""A process group on a CPU, for functions that processes compute together."""

import socket
from multiprocessing import get_context

from torch import distributed, multiprocessing


def in_processes(count, work, *arguments):
    """Call `work(rank, *arguments)` in each of `count` processes of one group; returns what each gave, by rank.

    `work` and its arguments travel by pickle, and so does what it gives.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with get_context("spawn").Manager() as manager:
        results = manager.dict()
        multiprocessing.spawn(_member, (count, port, work, arguments, results), nprocs=count)
        return dict(results)


def _member(rank, count, port, work, arguments, results):
    store = distributed.TCPStore("127.0.0.1", port, count, is_master=rank == 0)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=count)
    results[rank] = work(rank, *arguments)
    distributed.destroy_process_group()
