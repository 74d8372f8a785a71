"""A house that a test may damage, and a stage that is to be refused in one line."""

from __future__ import annotations

import pytest

from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import TinyRun


@pytest.fixture
def run(tmp_path):
    """A house of its own: the tests damage its tree. Four images, three of them to train on."""
    make_voc_tree(tmp_path / "data" / "voc", 4, image_labels="npy", pseudo="Pseudo")
    return TinyRun(tmp_path)


@pytest.fixture
def root(run):
    return run.house / "data" / "voc"


@pytest.fixture
def fault(run, capsys):
    """Start a stage, expect it to be refused, and return its one line."""

    def start(stage, *more, code=1):
        capsys.readouterr()
        assert run.run([*run.words(stage), *more]) == code
        stderr = capsys.readouterr().err
        lines = [line for line in stderr.splitlines() if line.startswith("mars: error: ")]
        assert len(lines) == 1 and "Traceback" not in stderr
        assert len(lines[0]) < 400
        assert not list(run.house.glob("runs/**/*.ckpt")) and not list(run.house.glob("runs/**/weights.safetensors"))
        return lines[0].removeprefix("mars: error: ")

    return start
