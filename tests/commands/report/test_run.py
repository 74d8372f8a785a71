"""A run folder read back, and what its stages measured merged into one file."""

import json
import os

import pytest

from datamodules.errors import DataError
from mars_pl.commands.report.images.sets import image_sets
from mars_pl.commands.report.run import merge, open_run
from tests.callbacks.writing.candidates.tables import write_table
from tests.fakes.fake_run import CLASSES, change


def test_target_share_over_the_classes_with_a_companion(run):
    rows = [
        ("a", 1, 0, 9, 0.9, True, 0.8),
        ("a", 1, 1, 9, 0.2, False, 0.0),
        ("b", 2, 0, 9, 0.9, True, 0.05),
        ("b", 2, 1, 9, 0.9, True, 0.2),
        ("c", 4, 0, 9, 0.9, True, 0.9),
    ]
    write_table(run / "debias-centroids", CLASSES, rows)
    selection = merge(open_run(str(run)))["selection"]
    assert selection["target_share_before"]["companion"] == pytest.approx(1 / 3)
    assert selection["target_share"]["companion"] == pytest.approx(1 / 2)
    row = json.loads((run / "rows" / "pseudo.json").read_text())
    change(run / "rows" / "pseudo.json", per_class={name: {"iou": 0.5} for name in row["per_class"]})
    assert "companion" not in merge(open_run(str(run)))["selection"]["target_share"]  # no companion masks: not known


def test_a_table_of_an_earlier_version_is_named(run):
    table = run / "debias-centroids" / "candidates.parquet"
    table.rename(table.with_suffix(".csv"))
    with pytest.raises(
        DataError, match=r"candidates\.parquet: an earlier version wrote candidates\.csv; make .* again"
    ):
        merge(open_run(str(run)))


def test_rows_of_other_choices_are_left_out(run):
    change(run / "run.json", rows={name: f"rows/{name}.json" for name in ("pseudo", "final")})
    rows = merge(open_run(str(run)))["rows"]
    assert [name for name, row in rows.items() if row] == ["pseudo", "final"]
    assert "mars_removal" not in rows


def test_class_names_come_from_the_rows_where_nobody_else_names_them(run):
    change(run / "run.json", classes=None, data="folder")
    assert open_run(str(run)).class_names[:3] == ("background", "train", "boat")


def test_class_names_come_from_the_datas_yaml_where_no_row_was_measured(run, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "data:\n  class_path: a.Mine\n  init_args:\n    class_names: [background, cup]\n"
    )
    change(run / "run.json", classes=None, data="mine", rows={}, data_yaml=str(tmp_path / "mine.yaml"))
    assert open_run(str(run)).class_names == ("background", "cup")
    change(run / "run.json", data_yaml=str(tmp_path / "gone.yaml"))
    assert open_run(str(run)).class_names == ()
    assert image_sets(open_run(str(run))) == []


def test_labels_may_lie_outside_the_run(run, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    change(run / "run.json", labels={"pseudo": "elsewhere"}, stages={"uss": ""})
    assert open_run(str(run)).labels("pseudo").resolve() == tmp_path / "elsewhere"
    assert open_run(str(run)).stage("uss") is None


def test_rows_stand_in_the_order_of_the_pipeline(run):
    names = list(merge(open_run(str(run)))["rows"])
    assert names == [
        "pseudo", "pseudo-baseline", "debiased", "complemented",
        "baseline", "mars_removal", "final", "final-student", "supervised",
    ]  # fmt: skip


def test_the_tenth_round_stands_behind_the_second(run):
    rows = json.loads((run / "run.json").read_text())["rows"]
    later = ("final-round10", "final-round2", "final-seed10", "final-seed2")
    change(run / "run.json", rows=rows | dict.fromkeys(later, rows["final"]))
    names = [name for name in merge(open_run(str(run)))["rows"] if name.startswith("final")]
    assert names == ["final", "final-seed2", "final-seed10", "final-round2", "final-round10", "final-student"]


def test_the_run_s_debiased_labels_are_the_probe_s_where_there_is_one(run):
    assert open_run(str(run)).debiased_stage == "debias-labels"
    (run / "debias-probed").mkdir()
    stages = json.loads((run / "run.json").read_text())["stages"]
    change(run / "run.json", stages=stages | {"debias-probed": "debias-probed"})
    assert open_run(str(run)).debiased_stage == "debias-probed"


def test_a_run_is_found_by_name_and_its_absence_is_told(run, monkeypatch):
    monkeypatch.chdir(run.parent.parent)
    assert open_run("scenes").name == "scenes"
    with pytest.raises(DataError, match=r"nowhere: no run\.json .*there are: scenes"):
        open_run("nowhere")
    (run / "run.json").write_text("{")
    with pytest.raises(DataError, match=r"run\.json: is no JSON"):
        open_run("scenes")


def test_weights_are_looked_for_where_the_run_found_them(run, monkeypatch):
    monkeypatch.delenv("MARS_WEIGHTS", raising=False)
    opened = open_run(str(run))
    opened.look_for_weights()
    assert "MARS_WEIGHTS" not in os.environ  # an older run does not say it
    change(run / "run.json", weights="data/weights")
    opened = open_run(str(run))
    opened.look_for_weights()
    assert os.environ.pop("MARS_WEIGHTS") == "data/weights"
    monkeypatch.setenv("MARS_WEIGHTS", "elsewhere")
    opened.look_for_weights()
    assert os.environ["MARS_WEIGHTS"] == "elsewhere"
