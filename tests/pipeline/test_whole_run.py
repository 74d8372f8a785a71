"""`mars run mars` as a person types it: every command of the pipeline is started in a process of its own."""

import json
import subprocess
import sys

import pytest

from tests.fakes.fake_coco import make_coco_tree
from tests.fakes.fake_folder import make_own_folder
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import REPOSITORY, save_vit

MARS = f"""#!{sys.executable}
import sys
from pathlib import Path
sys.path.insert(0, "{REPOSITORY}")
from mars_pl.cli.main import main
from tests.pipeline.tiny_run import small
words = sys.argv[1:]
sys.exit(main(words + (small(Path.cwd(), words) if words[0] in ("fit", "predict") else [])))
"""
TREES = {
    "voc": lambda root: make_voc_tree(root, 8, image_labels="npy"),
    "coco": make_coco_tree,
    "folder": make_own_folder,
}


def type_run(house, *words):
    command = [sys.executable, "-c", RUN, "run", "mars", *words]
    done = subprocess.run(command, cwd=house, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.removeprefix("— ") for line in done.stdout.splitlines() if line.startswith("— ")]


RUN = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from mars_pl.pipeline.execution import making
making.mars_command = lambda: ["./small_mars"]
from mars_pl.commands.run import command
command.check_needs = lambda stages: None  # small_mars downloads nothing
from mars_pl.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("data", TREES)
def test_the_whole_pipeline_and_then_only_what_changed(data, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    TREES[data](tmp_path / "data" / data)
    save_vit(tmp_path)
    (tmp_path / "small_mars").write_text(MARS)
    (tmp_path / "small_mars").chmod(0o755)
    words = (f"data={data}", "trainer=cpu", f"run={data}")
    stages = type_run(tmp_path, *words)
    assert {"wsss-labels", "uss-fit", "debias-labels"} < {"-".join(stage.split("-")[:2]) for stage in stages}
    run = tmp_path / "runs" / data
    rows = json.loads((run / "metrics.json").read_text())["rows"]
    assert {"pseudo", "debiased", "complemented", "baseline", "final"} <= set(rows)
    assert all(0 <= row["miou"] <= 1 for row in rows.values() if row)
    assert "<html" in (run / "report.html").read_text()
    assert type_run(tmp_path, *words) == []
    again = type_run(tmp_path, *words, "train=mars_removal")
    assert {stage.split("-")[0] for stage in again} <= {"segment", "row"}
