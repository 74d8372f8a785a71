"""Curves of the fits, from the logs that Lightning writes."""

import pytest

from datamodules.errors import DataError
from mars_pl.commands.report.charts import curves
from mars_pl.commands.report.learning import learning, read_log
from mars_pl.commands.report.run import open_run
from tests.fakes.fake_run import add_networks


def test_losses_and_scores_are_read_and_nothing_else(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(
        "epoch,step,lr,loss,train/loss_self,val/teacher/miou,val/miou_all\n"
        "0,9,0.1,1.5,,,\n0,19,0.1,nan,0.5,,\n0,19,,,,0.25,0.2\n"
    )
    found = {curve.name: (curve.steps, curve.values) for curve in read_log(path)}
    assert found == {"loss": ([9], [1.5]), "train/loss_self": ([19], [0.5]), "val/teacher/miou": ([19], [0.25])}


def test_long_logs_are_thinned_and_keep_their_end(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss\n" + "\n".join(f"{step},{step}" for step in range(1000)))
    [curve] = read_log(path)
    assert len(curve.steps) <= 201
    assert (curve.steps[0], curve.steps[-1]) == (0, 999)


def test_what_is_no_log_is_named(tmp_path):
    (tmp_path / "metrics.csv").write_text("epoch,loss\n1,2\n")
    with pytest.raises(DataError, match=r"metrics\.csv: is no log of a fit"):
        read_log(tmp_path / "metrics.csv")


def test_a_chart_a_fit_and_kind(run):
    add_networks(run)
    charts = learning(open_run(str(run)))
    assert [(chart["stage"], chart["words"]) for chart in charts] == [("segment", "loss"), ("segment", "score, %")]
    assert "teacher/miou" in charts[1]["svg"]


@pytest.mark.parametrize("values", [[0.62], [-0.1, 0.3], [5.0, 5.0], [1e-4, 3e-4]])
@pytest.mark.parametrize("fractions", [True, False])
def test_curves_stay_between_their_rules(values, fractions):
    values = [abs(value) / 5 if fractions else value for value in values]
    svg = curves([0, 1][: len(values)], [("<loss>", "after", values)], axis="step", fractions=fractions)
    assert "&lt;loss&gt;" in svg
    inside = svg.split('points="')[1].split('"')[0]
    assert all(14 <= float(point.split(",")[1]) <= 256 for point in inside.split())
