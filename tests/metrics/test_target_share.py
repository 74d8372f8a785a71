import pytest

from mars_pl.metrics.target_share import kind, target_share


@pytest.mark.parametrize(
    ("iou", "name"),
    [
        (0.31, "target"),
        (0.30, "between"),
        (0.10, "between"),
        (0.09, "biased"),
        (0.0, "biased"),
        (float("nan"), "unknown"),
        (None, "unknown"),
    ],
)
def test_kinds_by_the_rule_of_figure_8(iou, name):
    assert kind(iou) == name


def test_the_share_leaves_out_what_lies_between():
    assert target_share(["target", "target", "biased", "between", "unknown"]) == pytest.approx(2 / 3)


def test_no_share_where_nothing_can_be_judged():
    assert target_share(["unknown", "unknown"]) is None
    assert target_share(["between"]) is None
