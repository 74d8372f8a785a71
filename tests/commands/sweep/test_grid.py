"""What can be swept, and the points of a grid."""

import pytest

from datamodules.errors import DataError
from mars_pl.commands.sweep.grid import MOST, SWEPT, help_text, points_of, read_grid
from mars_pl.pipeline.choices import NAMES, Choices


def test_words_become_a_grid_whose_last_setting_runs_fastest():
    grid = read_grid(["alpha=.2,0.2,.4", "background_clusters=1..3,5"], networks=False)
    assert grid == {"alpha": (0.2, 0.4), "background_clusters": (1, 2, 3, 5)}
    points = points_of(grid, Choices(alpha=0.6, gamma=3.0))
    assert [str(point) for point in points[:2]] == [
        "alpha=0.2 background_clusters=1",
        "alpha=0.2 background_clusters=2",
    ]
    assert len(points) == 8
    last = points[-1].choices
    assert (last.alpha, last.background_clusters, last.gamma) == (0.4, 5, 3.0)


def test_a_setting_of_a_stage_is_an_option_beside_those_of_the_run():
    grid = read_grid(["debias-labels.writer.exponent=2,4.5", "centroids=centroids,centroids_minimum"], networks=False)
    assert grid["debias-labels.writer.exponent"] == (2, 4.5)
    point = points_of(grid, Choices(options={"segment.model.lr": ".1"}))[-1]
    assert point.choices.options == {"segment.model.lr": ".1", "debias-labels.writer.exponent": "4.5"}
    assert point.choices.centroids == "centroids_minimum"


def test_what_is_swept_are_choices_and_the_help_tells_each():
    assert set(SWEPT) < set(NAMES)
    assert all(name in help_text() for name in SWEPT)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to sweep: say settings and their values"),
        (["alpha"], "alpha: a setting is written name=value,value"),
        (["alpha=.1", "alpha=.2"], "alpha=.2: is said twice"),
        (["alpha=0"], "alpha=0: above 0 and at most 1 is wanted"),
        (["alpha=1.01"], "alpha=1.01: above 0 and at most 1 is wanted"),
        (["alpha=nan"], "alpha=nan: above 0"),
        (["gamma=inf"], "gamma=inf: above 0 is wanted"),
        (["alpha=.2,"], "write values as 1,2,4 or 1..5"),
        (["background_clusters=5..1"], "write values as 1,2,4 or 1..5"),
        (["background_clusters=1.5"], "background_clusters=1.5: is no number"),
        (["background_clusters=0..2"], "background_clusters=0: above 0 is wanted"),
        (["background_clusters=1..99999999"], f"name {MOST} at most"),
        (["backgrund_clusters=1"], "did you mean background_clusters\\? a sweep goes over alpha"),
        (["wsss=cam,irn"], "wsss=: cannot be swept; a sweep goes over alpha"),
        (["segment.model.lr=.1,.2"], "segment.model.lr=: cannot be swept.*with --networks those of segment"),
        (["centroids=centroid,centroids"], "there is no configs/debias/centroid.yaml; did you mean centroids"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(words, said):
    with pytest.raises(DataError, match=said) as fault:
        read_grid(words, networks=False)
    assert "\n" not in str(fault.value)


def test_settings_of_the_segmenter_go_with_networks():
    assert read_grid(["segment.model.lr=.1,.2"], networks=True) == {"segment.model.lr": (0.1, 0.2)}
