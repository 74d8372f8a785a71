"""The worked example of docs/own_data.md, as it stands there."""

import re
import subprocess
import sys

import numpy as np
from PIL import Image

from tests.tiny_run import REPOSITORY

PHOTOGRAPHS = ("kitchen.jpg", "shelf/desk.png", "shelf/bed.jpeg", "hall.jpg")


def test_the_example_makes_a_sound_folder(tmp_path):
    text = (REPOSITORY / "docs" / "own_data.md").read_text()
    (block,) = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len([line for line in block.splitlines() if line]) <= 20
    for place in PHOTOGRAPHS:
        path = tmp_path / "data/folder/images" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(path)
    console = f"{sys.executable} -c 'from mars_pl.cli import console; console()'"
    stubs = f'set -e\ncp() {{ :; }}\nmake() {{ echo "make $*"; }}\nmars() {{ {console} "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-c", stubs + block], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "data/folder: 4 images, nothing is wrong\nmake mars DATA=folder\n"
