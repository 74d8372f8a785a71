import numpy as np
import pytest

from datamodules.files.labels import write_label
from mars_pl.commands.labels.command import main
from tests.commands.labels.foreign_labels import MASKS, WRITERS


@pytest.fixture
def bring(tmp_path):
    """Write a kind's files as it is published, import them, and return the target."""

    def run(kind, *options, write=True):
        source, target = tmp_path / "source", tmp_path / "labels"
        if write:
            source.mkdir()
            WRITERS[kind](source)
        words = ["import", kind.split()[0], str(source), str(target), "--classes", "2", "--workers", "2"]
        assert main([*words, *map(str, options)]) == 0
        return target

    return run


@pytest.fixture
def truth(tmp_path):
    (tmp_path / "truth").mkdir()
    for name, codes in MASKS.items():
        write_label(tmp_path / "truth" / f"{name}.png", np.array(codes))
    return tmp_path / "truth"


@pytest.fixture
def listed(tmp_path):
    def write(*ids, name="train"):
        (tmp_path / f"{name}.txt").write_text("".join(f"{image_id}\n" for image_id in ids))
        return tmp_path / f"{name}.txt"

    return write
