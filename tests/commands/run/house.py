"""A house in which a fast script stands in place of `mars`: it writes its words down and leaves what a stage leaves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import chdir
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import mars_pl.commands.run.command as command
from mars_pl.cli.main import main
from mars_pl.commands.run import closing
from mars_pl.commands.run.words import STAGES
from mars_pl.pipeline import choices, preferences
from mars_pl.pipeline.execution import making, needs
from mars_pl.pipeline.settings import configs
from tests.callbacks.writing.candidates.tables import write_table
from tests.fakes.fake_tree import make_voc_tree

REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True)
class Call:
    """One command that was started: its words, and the threads that its environment gave it."""

    threads: str
    words: list[str]

    @property
    def folder(self) -> str:
        """Name of the folder that it makes."""
        place = self.after("--trainer.default_root_dir") or str(Path(self.after("--json") or "").parent)
        return Path(place).name.removesuffix(".part")

    @property
    def name(self) -> str:
        """`debias-labels`; of trainings `segment mars`, `segment-masks baseline-round2`; of rows `row final`."""
        if row := self.after("--row"):
            return f"row {row}"
        if self.words[0] == "validate":
            return "overlays"
        stage = max((name for name in STAGES if self.folder.startswith(f"{name}-")), key=len)
        told = self.folder.removeprefix(f"{stage}-").split("-")
        training = "-".join([told[1], *(word for word in told if word.startswith("round"))])
        return f"{stage} {training}" if stage.startswith("segment") else stage

    def after(self, flag: str) -> str | None:
        """Return the word after a flag, None without it."""
        return self.words[self.words.index(flag) + 1] if flag in self.words else None

    def yamls(self) -> list[str]:
        """Return the names of its YAMLs."""
        return [str(Path(*Path(word).parts[-2:])) for flag, word in pairwise(self.words) if flag == "-c"]


PATCHES: tuple[tuple[Any, str, Any], ...] = (
    (making, "mars_command", lambda: ["./stub/mars"]),
    (closing, "mars_command", lambda: ["./stub/mars"]),
    (configs, "_PACKAGE", Path()),  # the YAMLs of the house that we are in
    (needs, "_to_be_had", lambda name: True),  # nobody asks timm's hub
    (choices, "best_trainer", lambda: "cpu"),  # whatever the machine has
    (preferences, "best_size", lambda: "full"),
)
"""What stands in place of what: module, name, substitute."""


class House:
    """A folder with a tree of four images at data/voc, the shipped YAMLs and the stub."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "data/voc"

    @classmethod
    def build(cls, folder: Path) -> House:
        """Write a new one."""
        make_voc_tree(folder / "data/voc", 4, image_labels="npy")
        (folder / "configs").symlink_to(REPOSITORY / "configs")
        (folder / "stub").mkdir()
        shutil.copy(Path(__file__).with_name("mars_stub.sh"), folder / "stub/mars")
        (folder / "stub/mars").chmod(0o755)
        write_table(folder / "stub", ("background",), [])
        return cls(folder)

    def copied(self, folder: Path) -> House:
        """Return a copy with its times, as `cp -a` makes it."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return House(folder)

    def says(self, what: str, stages: str) -> None:
        """Let the stub `stand` (till told otherwise), `hang`, `fail`, leave it `empty` or `lose` an image in stages of
        this name; leave `real` masks in all.
        """
        (self.folder / "stub" / what).write_text(stages)

    def behaves(self) -> None:
        """Let the stub do everything as it should."""
        for path in (self.folder / "stub").iterdir():
            if path.name not in ("mars", "candidates.parquet"):
                path.unlink()

    def run(self, *words: str) -> list[str]:
        """Run `mars run mars data=voc` in process, or what is said instead; return the names of what was made."""
        (self.folder / "calls").unlink(missing_ok=True)
        with chdir(self.folder):
            command.main(completed(words))
        return [call.name for call in self.calls()]

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start the same as a process of its own."""
        program = "from tests.commands.run.house import stubbed; stubbed()"
        return subprocess.Popen(
            [sys.executable, "-c", program, "run", *completed(words)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def calls(self) -> list[Call]:
        """Return the commands that were started since the last run began."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [Call(threads, words) for threads, *words in (line.split("\x1f")[:-1] for line in lines)]

    def call(self, name: str) -> Call:
        """Return the one command of this name."""
        (found,) = [call for call in self.calls() if call.name == name]
        return found

    def stages(self, part: str = "") -> list[Path]:
        """Return the folders of stages, finished or begun, whose names hold a word."""
        return sorted(path for path in (self.folder / "runs/stages").glob("[!.]*") if part in path.name)

    def configs(self) -> Path:
        """Return the folder of YAMLs, the house's own from now on."""
        folder = self.folder / "configs"
        if folder.is_symlink():
            folder.unlink()
            shutil.copytree(REPOSITORY / "configs", folder)
        return folder

    def yaml(self, name: str) -> Path:
        """Return a YAML that may be changed."""
        return self.configs() / f"{name}.yaml"


def completed(words: Sequence[str]) -> list[str]:
    """Return words with the target and the data where they are not said."""
    target = words[0] if words and re.fullmatch("[a-z][a-z-]*", words[0]) else ""
    return [target or "mars", "data=voc", *words[1 if target else 0 :]]


def stubbed() -> None:
    """Run `mars` with the patches, as a program."""
    for module, name, substitute in PATCHES:
        setattr(module, name, substitute)
    sys.exit(main())


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so; fail where it takes too long."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def line_with(process: subprocess.Popen[str], word: str) -> str:
    """Wait for a line with a word that a process prints, and return it."""
    assert process.stdout is not None
    return next(line for line in process.stdout if word in line)
