"""Runs commands of `mars` one after another in processes that can be killed, after one import for all of them.

The one argument is a JSON list of jobs: `words` after `mars`; `processes`, started as torchrun starts them; `kill`, the
number of lines in the first process's journal in `folder` at which it is killed from outside. Prints how each ended.
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path


def start(words, rank, processes, port):
    from mars_pl.cli.main import main

    child = os.fork()
    if child:
        return child
    if processes > 1:
        names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
        names |= {"GROUP_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
        os.environ.update({name: str(value) for name, value in names.items()})
    os._exit(main(words))


def kill_at(child, journal, lines):
    until = time.monotonic() + 60
    while time.monotonic() < until and (not journal.exists() or len(journal.read_text().splitlines()) < lines):
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)


def run(words, processes=1, kill=None, folder=None):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [start(words, rank, processes, port) for rank in range(processes)]
    if kill is not None:
        kill_at(children[0], Path(folder, ".done-0.jsonl"), kill)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


if __name__ == "__main__":
    import mars_pl.cli.lightning_cli  # noqa: F401 - here, so that no job waits for it

    for job in json.loads(sys.argv[1]):
        print("ended:", *run(**job), flush=True)
