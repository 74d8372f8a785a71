"""Commands of `mars` in processes of their own, several together or to be killed, after one import for all of them.

Torch and Lightning take ten seconds to import, and a fit of ten steps hardly one. Run as a module, this forks a process
for each command that it is sent; `ForkedJobs` is who sends them.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from tests.processes.job_environment import environment_of_job

LONGEST = 300
"""Seconds after which a job that hangs is ended."""


@dataclass(frozen=True)
class Ended:
    """The exit codes of a command's processes, by rank, minus the signal where one ended it; and what they said."""

    codes: list[int]
    said: str


class ForkedJobs:
    """The process that forks. A context: at its end that process is gone."""

    def __enter__(self) -> ForkedJobs:
        command, pipe = [sys.executable, "-m", "tests.processes.forked_jobs"], subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment_of_job(), stdin=pipe, stdout=pipe, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def run(
        self,
        house: Path,
        words: Sequence[object],
        processes: int = 1,
        kill: tuple[Path, int] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run `mars` with `words` in `house`, as torchrun starts so many processes.

        Args:
            kill: the first process's journal, and at how many lines in it that process is killed.
            environment: what the processes find in theirs beside.
        """
        job = {"house": str(house), "words": [str(word) for word in words], "processes": processes}
        job |= {"kill": None if kill is None else [str(kill[0]), kill[1]], "environment": dict(environment or {})}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


def _start(
    house: str, words: list[str], rank: int, processes: int, port: int, said: int, environment: dict[str, str]
) -> int:
    child = os.fork()
    if child:
        return child
    from mars_pl.cli.main import main

    signal.alarm(LONGEST)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.chdir(house)
    os.environ.update(environment)
    if processes > 1:
        names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
        names |= {"GROUP_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
        os.environ.update({name: str(value) for name, value in names.items()})
        words += ["--trainer.strategy", "ddp", "--trainer.devices", str(processes)]
    code = 1
    try:
        code = main(words)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _kill_at(child: int, journal: Path, lines: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and (not journal.exists() or len(journal.read_text().splitlines()) < lines):
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)


def _run(
    house: str, words: list[str], processes: int, kill: tuple[str, int] | None, environment: dict[str, str]
) -> Ended:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryFile() as said:
        children = [
            _start(house, words, rank, processes, port, said.fileno(), environment) for rank in range(processes)
        ]
        if kill is not None:
            _kill_at(children[0], Path(kill[0]), kill[1])
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        said.seek(0)
        return Ended(codes, said.read().decode())


if __name__ == "__main__":
    import mars_pl.cli.lightning_cli  # noqa: F401 - here, so that no command waits for it

    for line in sys.stdin:
        print(json.dumps(vars(_run(**json.loads(line)))), flush=True)
