"""What holds of all of the Python door: its page, its codes, and what it starts."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from datamodules.files.labels import BIASED, IGNORED
from mars_pl.debias.defaults import BIASED_INDEX, IGNORE_INDEX

PAGE = Path(__file__).parents[2] / "docs" / "python_api.md"


def test_the_page_does_what_it_says(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    held = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), held)
    assert len(blocks) == 2
    assert "254" in capsys.readouterr().out
    labels = held["labels"]
    assert (labels["train 1"][8:16, 13:20] == BIASED).all() and (labels["train 1"][8:16, 4:11] == 1).all()
    assert np.array_equal(labels["ship"], held["images"][2][2]), "the ship keeps its label"
    assert held["student"].weight.grad.abs().sum() > 0


def test_the_codes_are_those_of_label_files():
    assert (BIASED_INDEX, IGNORE_INDEX) == (BIASED, IGNORED)


def test_neither_package_nor_door_starts_what_is_heavy():
    heavy = ("pytorch_lightning", "timm", "torchmetrics", "sklearn", "callbacks", "datamodules")
    code = (
        "import sys, mars_pl\nassert 'torch' not in sys.modules\nimport mars_pl.api\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
