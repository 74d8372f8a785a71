"""A process group on a CPU, for functions that processes compute together."""

import socket
from datetime import timedelta
from functools import partial

from torch import distributed

from mars_pl.refine.worker_processes import worker_processes


def in_processes(count, work, *arguments):
    """Call `work(rank, *arguments)` in each of `count` processes of one group; returns what each gave, by rank.

    `work` and its arguments travel by pickle, and so does what it gives. The processes are forked from a server that
    has imported the module of `work`, so that torch is imported once, not once a process.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with worker_processes(count, work.__module__) as processes:
        return dict(enumerate(processes.map(partial(_member, count, port, work, arguments), range(count))))


def _member(count, port, work, arguments, rank):
    patience = timedelta(seconds=60)  # for the others, where one of them has failed
    store = distributed.TCPStore("127.0.0.1", port, count, is_master=rank == 0, timeout=patience)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=patience)
    try:
        return work(rank, *arguments)
    finally:
        distributed.destroy_process_group()
