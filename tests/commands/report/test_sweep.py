"""A run's sweeps read back: curves over one setting, the others fixed."""

import re

import pytest

from datamodules.errors import DataError
from mars_pl.commands.report import command as report
from mars_pl.commands.report.run import open_run
from mars_pl.commands.report.sweep import own_sweeps, said, swept_charts, swept_panels
from tests.fakes.fake_run import add_sweep

GRID = {"alpha": [0.4, 0.2], "background_clusters": [1, 2, 4]}


def test_a_chart_a_setting_and_a_curve_for_each_value_of_the_others(run):
    add_sweep(run, GRID)
    [sweep] = own_sweeps(open_run(str(run)))
    over_alpha, over_k = swept_charts(sweep)
    assert (over_alpha.setting, over_k.setting, over_k.start) == ("alpha", "background_clusters", 0.5)
    assert [curve.name for curve in over_alpha.curves] == ["K_bg 1", "K_bg 2", "K_bg 4"]
    assert over_alpha.curves[0].at == (0.2, 0.4), "rising, in whatever order it was said"
    assert over_alpha.curves[2].values == pytest.approx((0.82, 0.80))
    assert [curve.name for curve in over_k.curves] == ["α .4", "α .2"]
    assert over_k.curves[0].values == pytest.approx((0.77, 0.78, 0.80))


def test_a_setting_of_words_and_one_of_one_value_are_no_line(run):
    sweep = add_sweep(run, {"alpha": [0.2], "centroids": ["centroids", "centroids_minimum"]})
    assert swept_charts(sweep) == []
    assert swept_panels(sweep)["points"][1]["settings"] == [".2", "centroids_minimum"]


def test_many_curves_are_thinned_out_and_a_figure_that_is_missing_is_none(run):
    sweep = add_sweep(run, {"alpha": [0.2, 0.4], "background_clusters": list(range(1, 10))})
    assert [curve.name for curve in swept_charts(sweep)[0].curves] == ["K_bg 1", "K_bg 5", "K_bg 9"]
    assert swept_charts(sweep, "companion")[0].curves[0].values == (None, None)


def test_the_page_shows_those_of_its_labels(run):
    add_sweep(run, GRID)
    report.main([str(run)])
    text = (run / "report.html").read_text()
    assert "The settings gone over" in text and "Yᵈᵇ debiased labels over K_bg" in text
    assert re.search(r"<td>.2</td><td>4</td><td>90.0</td><td><b>82.0</b></td>", text)
    assert "1 min 02 s" in text
    add_sweep(run, GRID, of="debias-labels-of-earlier-choices")
    report.main([str(run)])
    assert "The settings gone over" not in (run / "report.html").read_text()


def test_a_damaged_file_is_named(run):
    (run / "sweep.json").write_text('{"sweeps": [{"of": "debias-labels"}]}')
    with pytest.raises(DataError, match=r"sweep.json: sweeps\[0\] lacks settings; delete it; `mars sweep`"):
        own_sweeps(open_run(str(run)))


def test_values_are_said_as_the_paper_does():
    assert [said(value) for value in (0.4, 1.0, 2, 1.5, "centroids")] == [".4", "1.0", "2", "1.5", "centroids"]
