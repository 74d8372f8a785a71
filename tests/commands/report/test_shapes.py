import json

import pytest

from datamodules.errors import DataError
from mars_pl.commands.report.command import main
from mars_pl.commands.report.shapes import FIGURES, METRICS, ROW, SWEEP, read_figures


def written(tmp_path, content):
    path = tmp_path / "row.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("shape", "content", "complaint"),
    [
        (ROW, [], "its content is [], no table"),
        (ROW, {"miou": "0.5"}, 'miou is "0.5", no number from 0 on'),
        (ROW, {"fp": -0.1}, "fp is -0.1, no number from 0 on"),
        (ROW, {"fp": 1e300}, "fp is 1e+300, no number"),
        (ROW, {"split": 3}, "split is 3, no text"),
        (ROW, {"per_class": {"cat": {"iou": []}}}, "per_class.cat.iou is [], no number"),
        (ROW, {"per_class": {"cat": 0.5}}, "per_class.cat is 0.5, no table"),
        (ROW, {"window": [1]}, "window is [1], no list of 2"),
        (ROW, {"scored": ["a", 1]}, "scored[1] is 1, no text"),
        (ROW, {"scales": "1"}, 'scales is "1", no list'),
        (SWEEP, {"scores": [{"miou": 0.5}]}, "scores[0] lacks background"),
        (SWEEP, {"scores": [{"background": None}]}, "scores[0].background is null, no number"),
        (METRICS, {"rows": {}}, "lacks data"),
        (FIGURES, {"x" * 500: "y" * 500}, "x" * 100 + ' is "' + "y" * 39 + "…, no number"),
        (ROW, '{"split": "\\ud800"}', "a text in it is no Unicode"),
    ],
)
def test_what_is_odd_is_named_with_its_place(tmp_path, shape, content, complaint):
    with pytest.raises(DataError) as caught:
        read_figures(written(tmp_path, content), shape)
    assert str(caught.value).startswith(f"{tmp_path}/row.json: {complaint}")
    assert str(caught.value).endswith("; delete it and run its stage again")


def test_what_was_not_measured_is_none(tmp_path):
    row = {"miou": None, "fp": 0, "per_class": {"cat": None, "dog": {"iou": None}}, "scored": "these", "more": [{}]}
    assert read_figures(written(tmp_path, row), ROW) == row
    assert read_figures(written(tmp_path, '{"miou": NaN, "fn": 1e999}'), ROW) == {"miou": None, "fn": None}


@pytest.mark.parametrize(
    "place",
    [
        "run.json", "rows/final.json", "debias-centroids/selection.json", "segment/seconds.json",
        "wsss-labels/sweep.json", "debias-labels/removed.json",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"rows": 5, "all": "x", "removed": [], "miou": {}, "scores": 1}']
)
def test_a_damaged_file_of_a_run_is_named(run, place, content):
    (run / place).write_text(content)
    if place.endswith("selection.json") and content.startswith('{"'):
        (run / place).write_text('{"target_share": 5}')
    with pytest.raises(DataError, match=place.rpartition("/")[2]) as caught:
        main([str(run)])
    assert "\n" not in str(caught.value) and not (run / "report.html").exists()
