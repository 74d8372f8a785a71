"""`make mars` as a person types it: make itself starts every command of the pipeline, each in a process of its own."""

import json
import sys

import pytest

from tests.fakes.fake_coco import make_coco_tree
from tests.fakes.fake_folder import make_own_folder
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import REPOSITORY, make, make_house, save_vit

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


def type_make(house, *words):
    done = make(house, "MARS=./small_mars", *words, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.removeprefix("— ") for line in done.stdout.splitlines() if line.startswith("— ")]


@pytest.mark.slow
@pytest.mark.parametrize("data", TREES)
def test_the_whole_pipeline_and_then_only_what_changed(data, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    house = make_house(tmp_path)
    TREES[data](tmp_path / "data" / data)
    save_vit(tmp_path)
    (house / "small_mars").write_text(MARS)
    (house / "small_mars").chmod(0o755)
    stages = type_make(house, "mars", f"DATA={data}")
    assert {"wsss-cam/labels", "uss-stego/fit", "debias-cam-stego/labels"} < set(stages)
    run = tmp_path / "runs" / data
    rows = json.loads((run / "metrics.json").read_text())["rows"]
    assert {"pseudo", "debiased", "complemented", "baseline", "final"} <= set(rows)
    assert all(0 <= row["miou"] <= 1 for row in rows.values() if row)
    assert "<html" in (run / "report.html").read_text()
    assert type_make(house, "mars", f"DATA={data}") == []
    again = type_make(house, "mars", f"DATA={data}", "TRAIN=mars_removal")
    assert [stage.split("-")[0] for stage in again] == ["segment"] * 3
