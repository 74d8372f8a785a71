"""The Makefile is a front door: each target hands its words to `mars run`, whatever they hold."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mars_pl.commands.run.words import TARGETS

REPOSITORY = Path(__file__).parents[1]
STUB = '#!/bin/bash\nprintf "%s\\x1f" "$@" > said\n'


@pytest.fixture
def door(tmp_path):
    """A folder with the Makefile and an environment whose `mars` writes its words down."""
    (tmp_path / "venv/bin").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "venv/bin/mars").write_text(STUB)
    (tmp_path / "venv/bin/mars").chmod(0o755)
    (tmp_path / "venv/ready").touch()
    return tmp_path


def make(door, *words):
    """Run make and return the words that `mars` was given."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "VENV=venv", *words], cwd=door, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    said = door / "said"
    return said.read_text().split("\x1f")[:-1] if said.exists() else done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_hands_on_its_words(door, target):
    assert make(door, target) == ["run", target]
    first, second, *words = make(
        door, target, "DATA=voc", "segment.trainer.max_epochs=3", "debias-labels.writer.exponent=2"
    )
    assert [first, second] == ["run", target]
    assert sorted(words) == ["DATA=voc", "debias-labels.writer.exponent=2", "segment.trainer.max_epochs=3"]


@pytest.mark.parametrize(
    "value",
    ["my masks", "two  blanks", "it's", 'say "x"', "a;b & (c) | d > e", "*.png", "a\\b", "#1", "été", "~/x", "-n"],
)
def test_a_word_arrives_as_it_was_typed(door, value):
    assert make(door, "mars", f"LABELS={value}") == ["run", "mars", f"LABELS={value}"]


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["-j2"], ["-j2"]),
        (["-j", "3"], ["-j3"]),
        (["JOBS=4"], ["-j4"]),
        (["-n"], ["-n"]),
        (["-n", "-j2"], ["-j2", "-n"]),
        (["-k"], []),
        (["--no-print-directory"], []),
        (["--warn-undefined-variables"], []),
        (["-s", "-n"], ["-n"]),
        (["-j"], []),
    ],
)
def test_makes_flags_are_those_of_the_run(door, words, flags):
    assert make(door, *words, "mars", "DATA=nn") == ["run", "mars", "DATA=nn", *flags]


def test_help_lists_the_targets(door):
    listed = make(door)
    assert listed == make(door, "help")
    names = {line.split()[0] for line in listed.splitlines()}
    assert names >= {*TARGETS, "test", "bench", "lint", "clean", "setup"}


def test_voc_is_downloaded_by_its_own_target(door):
    assert make(door, "data/voc", "VOC_OPTIONS=--keep x") == ["data", "voc", "data/voc", "--keep", "x"]


def test_it_has_at_most_90_lines():
    assert len((REPOSITORY / "Makefile").read_text().splitlines()) <= 90
