import numpy as np
import pytest

from mars_pl.metrics.target_share import KINDS, kind_counts, kinds, target_share


def test_kinds_by_the_rule_of_figure_8():
    cases = {
        0.31: "target",
        0.30: "between",
        0.10: "between",
        0.09: "biased",
        0.0: "biased",
        float("nan"): "unknown",
    }
    assert [KINDS[place] for place in kinds(np.array(list(cases)))] == list(cases.values())


def test_counts_of_each_class_by_kind():
    found = np.array([0, 0, 3, 2], dtype=np.int8)
    counts = kind_counts(np.array([1, 3, 1, 3], dtype=np.int32), found, 5)
    assert counts.tolist() == [[0, 0, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert kind_counts(np.zeros(0, np.int32), np.zeros(0, np.int8), 2).tolist() == [[0] * 4] * 2


def test_the_share_leaves_out_what_lies_between():
    assert target_share(np.array([2, 1, 1, 1])) == pytest.approx(2 / 3)


def test_no_share_where_nothing_can_be_judged():
    assert target_share(np.array([0, 0, 0, 2])) is None
    assert target_share(np.array([0, 1, 0, 0])) is None
