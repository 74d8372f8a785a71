"""The worked example of docs/own_data.md, as it stands there."""

import re
import shlex
import subprocess
from contextlib import chdir

import numpy as np
from PIL import Image

from mars_pl.cli.main import main
from tests.pipeline.tiny_run import REPOSITORY, plan

IMAGES = ("kitchen.jpg", "shelf/desk.png", "shelf/bed.jpeg", "hall.jpg")


def test_the_example_makes_a_sound_folder_and_can_be_typed(tmp_path, capsys):
    text = (REPOSITORY / "docs" / "own_data.md").read_text()
    block, *_ = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len([line for line in block.splitlines() if line]) <= 20
    for place in IMAGES:
        path = tmp_path / "data/folder/images" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(path)
    stubs = "set -e\ncp() { :; }\nmars() { :; }\n"
    subprocess.run(["bash", "-c", stubs + block], cwd=tmp_path, timeout=60, check=True)
    typed = [shlex.split(line, comments=True) for line in block.splitlines() if line.startswith("mars")]
    assert [words[1] for words in typed] == ["check", "run"]
    with chdir(tmp_path):
        assert main(typed[0][1:]) == 0
    assert capsys.readouterr().out == "data/folder: 4 images, 0 with masks, nothing is wrong\n"
    stages = plan(tmp_path, typed[1][2], *typed[1][3:])
    assert all("data/folder" in words for words in stages.values() if words[0] == "fit")
