"""`mars gap` over the seeds of runs and of segmenters."""

import json
import re

import pytest

from datamodules.errors import DataError
from mars_pl.commands.gap import command as gap
from mars_pl.commands.report import command as report
from tests.fakes.fake_run import change, make_run


def test_gap_over_seeds(tmp_path, capsys):
    runs = [make_run(tmp_path / str(seed), images=1, seed=seed) for seed in range(3)]
    runs = [run.rename(run.with_name(f"seed{seed}")) for seed, run in enumerate(runs)]
    for run, miou in zip(runs, (0.6, 0.7, 0.8), strict=True):
        change(run / "rows" / "baseline.json", miou=0.5)
        change(run / "rows" / "final.json", miou=miou)
        change(run / "rows" / "supervised.json", miou=0.9)
    assert gap.main([*map(str, runs), "--json", str(tmp_path / "new/folder/gap.json")]) == 0
    table = json.loads((tmp_path / "new/folder/gap.json").read_text())
    assert [row["closed"] for row in table["runs"]] == pytest.approx([0.25, 0.5, 0.75])
    assert table["mean"] == pytest.approx({"baseline": 0.5, "mars": 0.7, "supervised": 0.9, "closed": 0.5})
    assert table["seeds"] == 3
    assert [row["seed"] for row in table["runs"]] == [0, 1, 2]
    assert re.search(r"mean +over 3 seeds +50\.0 +70\.0 +90\.0 +50 %", capsys.readouterr().out)
    with pytest.raises(DataError, match="named twice"):
        gap.main([str(runs[0]), str(runs[0])])
    change(runs[1] / "rows" / "final.json", refinement="pamr")
    with pytest.raises(DataError, match="measured with refinement unlike seed0; compare"):
        gap.main(list(map(str, runs)))
    change(runs[1] / "rows" / "final.json", images=5)
    with pytest.raises(DataError, match="images is 5, unlike seed0 \\(240\\)"):
        gap.main(list(map(str, runs)))


def test_gap_of_another_training_and_of_the_segmenters_seeds(tmp_path):
    run = make_run(tmp_path, images=1)
    for name, miou in (("baseline", 0.5), ("mars_removal", 0.8), ("supervised", 0.9)):
        row = json.loads((run / "rows" / f"{name}.json").read_text())
        (run / "rows" / f"{name}-seed1.json").write_text(json.dumps(row | {"row": f"{name}-seed1", "miou": miou}))
    change(run / "run.json", rows={path.stem: f"rows/{path.name}" for path in (run / "rows").iterdir()})
    gap.main([str(run), "--row", "mars_removal", "--json", str(tmp_path / "gap.json")])
    table = json.loads((tmp_path / "gap.json").read_text())
    assert [entry["segment_seed"] for entry in table["runs"]] == [0, 1]
    assert [entry["closed"] for entry in table["runs"]] == pytest.approx([(0.756 - 0.588) / (0.872 - 0.588), 0.75])
    assert gap.gaps([str(run)])["mean"]["closed"] is None  # seed 1 has no row of MARS itself


def test_a_mean_over_seeds_leaves_no_seed_out(tmp_path, capsys):
    first, second = (make_run(tmp_path / str(seed), images=1, seed=seed, supervised=seed == 0) for seed in range(2))
    report.main([str(first), "--no-html"])
    alone = tmp_path / "copied"
    alone.mkdir()
    (first / "metrics.json").rename(alone / "metrics.json")  # only the numbers came from another machine
    gap.main([str(alone), str(second), "--json", str(tmp_path / "gap.json")])
    table = json.loads((tmp_path / "gap.json").read_text())
    assert table["mean"]["mars"] == pytest.approx(0.739)
    assert table["mean"]["closed"] is None
    assert table["runs"][0]["closed"] == pytest.approx(0.5317, abs=1e-4)


def test_a_long_name_gives_way_and_no_figure_does(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    run = make_run(tmp_path, images=1)
    run = run.rename(run.with_name("scenes-" + "a_choice_of_many_words-" * 5))
    row = json.loads((run / "rows" / "final.json").read_text())
    (run / "rows" / "final-round2.json").write_text(json.dumps(row | {"row": "final-round2", "miou": 0.775}))
    change(run / "run.json", rows={path.stem: f"rows/{path.name}" for path in (run / "rows").iterdir()})
    gap.main([str(run)])  # the run's network is the last round's
    printed = capsys.readouterr().out
    assert "MARS, round 2" in printed and "…" not in printed
    assert re.search(r"58\.8 +77\.5 +87\.2 +66 %", printed)
