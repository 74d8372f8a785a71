"""Who may know whom, and which commands answer in a second."""

import subprocess
import sys
from pathlib import Path

import pytest

from mars_pl.cli.main import LIGHT_COMMANDS
from tests.pipeline.tiny_run import REPOSITORY

HEAVY = ("torch", "torchvision", "pytorch_lightning", "lightning", "timm", "torchmetrics", "sklearn", "wandb")


def test_the_layers_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("command", LIGHT_COMMANDS)
def test_a_light_command_starts_nothing_heavy(command):
    code = (
        "import sys\nfrom mars_pl.cli.main import main\n"
        f"try:\n    main([{command!r}, '--help'])\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "usage: mars" in done.stdout
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_evaluate_scores_without_anything_heavy(tiny_run, tmp_path):
    truth = tiny_run.house / "data/voc/SegmentationClass"
    words = ["evaluate", str(truth), str(truth), "--data", "voc", "--json", str(tmp_path / "row.json")]
    code = (
        f"import sys\nfrom mars_pl.cli.main import main\nassert main({words!r}) == 0\n"
        f"print('heavy:', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"
    assert (tmp_path / "row.json").exists()
