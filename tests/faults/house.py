"""A run small enough to be broken many times: forty generated scenes and the real command."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import chdir, suppress
from pathlib import Path
from typing import IO

import yaml

from datamodules.synthetic.generator import write_scenes
from mars_pl.pipeline.settings.yamls import layers
from tests.pipeline.tiny_run import REPOSITORY
from tests.processes.job_environment import environment_of_job

MARS = str(Path(sys.executable).with_name("mars"))
SHORT = ("wsss-classifier.trainer.max_epochs=6", "uss-fit.trainer.max_epochs=4", "segment.trainer.max_epochs=6")
RUN = ("run", "mars", "data=tiny", "trainer=cpu", "run=tiny", *SHORT)
MARK = "MARS_FAULT_HOUSE"
"""Variable by which what a command has started is found again."""

KEPT = ("*.png", "*.safetensors", "row.json", "selection.json", "sweep.json", "removed.json")
"""What a run leaves that must not depend on how often it was broken off."""


class House:
    """A folder with forty scenes, the data set's YAMLs, and the command run in it.

    Args:
        folder: made here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = str(folder)
        root = folder / "data" / "tiny"
        root.parent.mkdir(parents=True)
        write_scenes(root, 3, 32, 8)
        for scenes in (REPOSITORY / "configs").glob("*/scenes"):
            shutil.copytree(scenes, folder / "configs" / scenes.parent.name / "tiny")
        (folder / "configs" / "choices").mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / "configs/choices/scenes.yaml", folder / "configs/choices/tiny.yaml")
        data = yaml.safe_load((REPOSITORY / "configs/data/scenes.yaml").read_text())
        data["data"]["init_args"] |= {"root": "data/tiny", "data_seed": 3, "train": 32, "val": 8}
        (folder / "configs" / "data").mkdir(exist_ok=True)
        (folder / "configs/data/tiny.yaml").write_text(yaml.safe_dump(data))

    def start(self, *words: str, command: Sequence[str] = (MARS,), **environment: str) -> subprocess.Popen[bytes]:
        """Start ``mars`` in a session of its own, and with a mark that all it starts inherit, see `alive`."""
        process = subprocess.Popen(
            [*command, *words],
            cwd=self.folder,
            env=environment_of_job() | {MARK: self.mark} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # and no file: where its files are to be small, what it says would be cut too
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_hear_interrupts,
        )
        assert process.stdout is not None  # it is a pipe
        self._reader = threading.Thread(target=self._read, args=(process.stdout, self.log), daemon=True)
        self._reader.start()
        return process

    @staticmethod
    def _read(said: IO[bytes], log: Path) -> None:
        with log.open("wb", buffering=0) as file:
            for line in said:
                file.write(line)

    def said(self) -> str:
        """Return what the last command has said, which has ended."""
        self._reader.join(timeout=10)
        return self.log.read_text(errors="replace")

    @property
    def log(self) -> Path:
        """What the last command has said."""
        return self.folder / "said.txt"

    def run(self, *words: str, command: Sequence[str] = (MARS,)) -> tuple[int, str]:
        """Run ``mars`` to its end; returns its exit code and what it said."""
        code = self.start(*words, command=command).wait(timeout=900)
        return code, self.said()

    def run_for(self, seconds: float, *words: str) -> int | None:
        """Run ``mars``, kill its whole session after some seconds; returns its exit code, None where it had ended."""
        process = self.start(*words)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return None
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait(timeout=120)

    def run_until(self, sign: str, *words: str, command: Sequence[str] = (MARS,)) -> subprocess.Popen[bytes]:
        """Start ``mars`` and wait until a file is there: a glob pattern within the house."""
        process, until = self.start(*words, command=command), time.monotonic() + 240
        while process.poll() is None and time.monotonic() < until and not any(self.folder.glob(sign)):
            time.sleep(0.05)
        return process

    def job(self, name: str, *yamls: str, out: str, more: Sequence[str] = ()) -> list[str]:
        """Return the words of a job by hand: shipped YAMLs with their overlays for these data, a folder, and more."""
        with chdir(self.folder):
            files = ["data/tiny", *map(str, layers(["tiny"], *yamls)), "trainer/cpu"]
        configs = [word for file in files for word in ("-c", file)]
        return [name, *configs, "--trainer.default_root_dir", out, *more]

    def left(self) -> dict[str, str]:
        """Return what the run's stages hold, by name, as digests; names of folders do not count."""
        found = {}
        for stage in sorted((self.folder / "runs" / "stages").iterdir()):
            found |= {f"{stage.name.rpartition('-')[0]}/{name}": digest for name, digest in digests(stage).items()}
        return found

    def clear(self) -> None:
        """Forget every stage."""
        shutil.rmtree(self.folder / "runs", ignore_errors=True)

    def unfinished(self) -> str:
        """Return the stage that was broken off last."""
        parts = sorted((self.folder / "runs" / "stages").glob("*.part"), key=lambda path: path.stat().st_mtime)
        if not parts:
            return "between stages"
        kept = ", after a checkpoint" if (parts[-1] / "checkpoints/last.ckpt").is_file() else ""
        return parts[-1].name.partition("-tiny")[0] + kept


def _hear_interrupts() -> None:
    """As a command of a terminal does; one that a shell starts in the background ignores SIGINT, and so would ours."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def alive(mark: str) -> list[int]:
    """Return the processes with a mark in their environment: what a command has started, torchrun's sessions too."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended since
            if f"{MARK}={mark}".encode() in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
    return sorted(found)


def digests(folder: Path) -> dict[str, str]:
    """Return the names and digests of what a job has left of labels and weights."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in KEPT
        for path in sorted(folder.rglob(pattern))
    }
