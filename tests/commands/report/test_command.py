"""`mars report` on whole, broken and empty runs: what it prints and what it leaves."""

import json
import re
import subprocess
import sys

import pytest

from mars_pl.commands.report import command as report
from mars_pl.commands.report.run import ROW_FIELDS, STANDARD_ROWS
from tests.fakes.fake_run import change


def test_merged_metrics_have_the_layout_of_the_design(run, capsys):
    assert report.main([str(run), "--no-html"]) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert list(metrics) == ["data", "seed", "choices", "rows", "selection", "gap", "seconds"]
    assert set(STANDARD_ROWS) < set(metrics["rows"])
    for row in metrics["rows"].values():
        assert set(ROW_FIELDS) <= set(row)
        assert "row" not in row
    assert metrics["rows"]["pseudo"]["per_class"]["train"].keys() >= {"iou", "fp", "fn"}
    assert metrics["rows"]["pseudo"]["network"] is None
    assert metrics["selection"]["target_share"]["all"] == 0.94
    assert list(metrics["selection"]["target_share"])[:3] == ["all", "companion", "train"]
    assert metrics["selection"]["candidates"] == 48
    assert metrics["seconds"]["wsss-classifier"] == 61
    assert metrics["gap"] == pytest.approx(
        {"baseline": 0.588, "mars": 0.739, "supervised": 0.872, "closed": (0.739 - 0.588) / (0.872 - 0.588)}
    )
    assert not (run / "report.html").exists()
    printed = capsys.readouterr().out
    assert "53 % closed" in printed
    assert str(run / "metrics.json") in printed


def test_what_is_missing_is_null_and_a_dash(run, capsys):
    manifest = json.loads((run / "run.json").read_text())
    for stage in ("debias-centroids", "debias-labels"):
        del manifest["stages"][stage]
    del manifest["labels"]["debiased"]
    (run / "run.json").write_text(json.dumps(manifest))
    (run / "wsss-labels" / "sweep.json").unlink()
    (run / "rows" / "supervised.json").unlink()
    change(run / "rows" / "pseudo.json", companion=float("nan"))
    assert report.main([str(run)]) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["rows"]["supervised"] is None
    assert metrics["rows"]["pseudo"]["companion"] is None
    assert metrics["selection"] == {"target_share": None, "target_share_before": None, "candidates": None}
    assert metrics["gap"] == {"baseline": 0.588, "mars": 0.739, "supervised": None, "closed": None}
    printed = capsys.readouterr().out
    assert re.search(r"full supervision +– +–", printed)
    assert "not measured: supervised" in printed
    page = (run / "report.html").read_text()
    assert "full supervision" in page
    assert "What was selected" not in page


def test_an_empty_run_still_gives_a_page(tmp_path):
    (tmp_path / "run.json").write_text('{"data": null}')
    assert report.main([str(tmp_path)]) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert all(row is None for row in metrics["rows"].values())
    assert metrics["seconds"] == {}


def test_report_imports_neither_torch_nor_lightning_nor_timm(run):
    heavy = ("torch", "pytorch_lightning", "timm", "sklearn", "wandb", "matplotlib")
    code = f"import sys; from mars_pl.commands.report.command import main; main([{str(run)!r}])"
    code += f"; from mars_pl.commands import gap; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
