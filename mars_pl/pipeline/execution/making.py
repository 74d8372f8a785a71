"""One stage made: its lock held, its command run, its outputs looked for, its folder given its name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from threading import Lock

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from mars_pl.pipeline.execution.lock import locked
from mars_pl.pipeline.execution.places import FACTS, SECONDS, Place, Places
from mars_pl.pipeline.execution.watcher import Watcher
from mars_pl.pipeline.execution.words import command_words, mars_command


class Commands:
    """The commands that are running, so that they end when we are ended."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._guard = Lock()
        self.stopped = False

    def run(self, words: Sequence[str], environment: dict[str, str], lock: int) -> int:
        """Run a command to its end and return its exit code; it holds the stage's lock too, should we be killed."""
        with self._guard:
            if self.stopped:
                return -signal.SIGTERM
            process = subprocess.Popen(words, env=environment, pass_fds=(lock,))
            self._running.add(process)
        try:
            return process.wait()
        finally:
            with self._guard:
                self._running.discard(process)

    def stop(self) -> None:
        """Ask what still runs to end, and wait for it."""
        with self._guard:
            self.stopped = True
            running = list(self._running)
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def make(
    place: Place,
    places: Places,
    commands: Commands,
    launch: Sequence[str],
    threads: int | None,
    watcher: Watcher,
) -> None:
    """Make a stage, or wait for another command that is making it.

    Args:
        place: of the stage.
        places: of what it reads.
        commands: where the running ones are kept.
        launch: words before ``mars``, such as torchrun's; for Lightning's jobs only.
        threads: of each of its processes; None leaves them to torch.
        watcher: looks on.

    Raises:
        DataError: where its command fails, or ends well and does not leave what it should.
    """
    stage = place.stage
    with locked(place.key) as lock:
        if place.finished:
            return
        print(f"\n— {place.folder.name}", flush=True)
        place.part.mkdir(parents=True, exist_ok=True)
        words = [*mars_command(), *command_words(place, places)]
        facts = place.fingerprint.facts | {"command": words}
        with whole_file(place.part / FACTS) as partial:
            partial.write_text(json.dumps(facts, indent=1, ensure_ascii=False, default=str), encoding="utf-8")
        environment = os.environ | watcher.environment(place)
        if threads is not None:
            environment.setdefault("OMP_NUM_THREADS", str(threads))
        begun = time.monotonic()
        code = commands.run([*(launch if stage.job != "evaluate" else ()), *words], environment, lock)
        if code == 0 and commands.stopped:  # what was told to end and ended well need not be whole
            raise DataError(f"{stage.name}: was told to end")
        if code == -signal.SIGKILL:
            raise DataError(
                f"{stage.name}: its command ended with signal SIGKILL, most often for want of memory; take fewer "
                f"workers or a smaller batch, the same command goes on; see {place.part}"
            )
        if code != 0:
            raise DataError(
                f"{stage.name}: its command ended with {_ending(code)} and said why above; see {place.part}"
            )
        if missing := place.missing(place.part):
            more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
            raise DataError(f"{place.part}: the command ended well and left no {missing[0]}{more}; is the disk full?")
        with whole_file(place.part / SECONDS) as partial:
            partial.write_text(json.dumps({stage.name: round(time.monotonic() - begun, 1)}), encoding="utf-8")
        place.part.rename(place.folder)
    watcher.made(place)


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
