"""`mars data scenes`: the generator's worlds as a folder that `data_root=` names."""

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.files.labels import read_label
from datamodules.scenes import Scenes
from mars_pl.commands.data import command


@pytest.fixture
def few(monkeypatch):
    """Four pictures to train on and two to validate on."""
    written = command.write_scenes
    monkeypatch.setattr(
        command, "write_scenes", lambda root, seed, world: written(root, seed, train=4, val=2, world=world)
    )


def test_a_world_is_written_of_its_seed_and_read_as_scenes(few, tmp_path, capsys):
    assert command.main(["scenes", str(tmp_path / "other"), "--world", "second", "--seed", "7"]) == 0
    assert (
        capsys.readouterr().out.splitlines()[-1].endswith("4 images in train, 4 images in train_aug, 2 images in val")
    )
    data = Scenes(str(tmp_path / "other"), train=4, val=2)
    data.prepare_data()
    shown = {int(code) for name in data.tree.ids("train") for code in np.unique(_companion(tmp_path / "other", name))}
    assert shown - {0} <= {3, 5, 6, 7}, "sheep, horse, car and balloon"


def _companion(root, name):
    return read_label(root / "Companion" / f"{name}.png")


def test_a_folder_that_is_there_is_not_written_over(few, tmp_path):
    command.main(["scenes", str(tmp_path / "one")])
    with pytest.raises(DataError, match="one: something is there already; remove it to generate Scenes anew"):
        command.main(["scenes", str(tmp_path / "one")])


def test_a_world_that_nobody_drew_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main(["scenes", str(tmp_path / "one"), "--world", "third"])
    assert "invalid choice: 'third'" in capsys.readouterr().err
