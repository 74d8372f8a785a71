"""IoU, FP and FN by hand."""

import math

import numpy as np
import pytest

from mars_pl.metrics.confusion import class_counts, confusion_matrix
from mars_pl.metrics.scores import Scores

CONFUSION = np.array([[5, 1, 0], [2, 4, 0], [0, 3, 1]])
# T = 6, 6, 4; P = 7, 8, 1; TP = 5, 4, 1; U = 8, 10, 4


def test_by_hand():
    scores = Scores.from_confusion(CONFUSION)
    assert scores.iou.tolist() == pytest.approx([5 / 8, 4 / 10, 1 / 4])
    assert scores.class_fp.tolist() == pytest.approx([2 / 8, 4 / 10, 0])
    assert scores.class_fn.tolist() == pytest.approx([1 / 8, 2 / 10, 3 / 4])
    assert scores.as_row() == pytest.approx(
        {"miou": 1.275 / 3, "fp": 0.2, "fn": 0.475, "fp_all": 0.65 / 3, "fn_all": 1.075 / 3}
    )


def test_the_three_parts_of_the_union_sum_to_one():
    confusion = np.random.default_rng(0).integers(0, 1000, (21, 21))
    scores = Scores.from_confusion(confusion)
    assert np.allclose(scores.iou + scores.class_fp + scores.class_fn, 1, atol=1e-12)
    row = scores.as_row()
    assert row["miou"] + row["fp_all"] + row["fn_all"] == pytest.approx(1, abs=1e-12)


def test_a_class_that_does_not_occur_takes_no_part():
    confusion = np.zeros((4, 4), dtype=np.int64)
    confusion[:3, :3] = CONFUSION
    scores = Scores.from_confusion(confusion)
    assert math.isnan(scores.iou[3]) and math.isnan(scores.class_fp[3]) and math.isnan(scores.class_fn[3])
    assert scores.as_row() == Scores.from_confusion(CONFUSION).as_row()


def test_a_class_only_predicted_or_only_missed_counts():
    scores = Scores.from_confusion(np.array([[0, 3, 0], [0, 0, 0], [2, 0, 0]]))
    assert scores.iou.tolist() == [0, 0, 0]
    assert scores.class_fp.tolist() == [0.4, 1, 0]
    assert scores.class_fn.tolist() == [0.6, 0, 1]


def test_three_counts_a_class_give_the_same_to_the_last_digit():
    rng = np.random.default_rng(1)
    prediction, truth = rng.integers(0, 80, (2, 300, 300))
    whole = Scores.from_confusion(confusion_matrix(prediction, truth, 81), [3, 5, 80])
    counts = Scores.from_counts(class_counts(prediction, truth, 81), [3, 5, 80])
    assert counts.as_row() == whole.as_row() and np.array_equal(counts.iou, whole.iou, equal_nan=True)


def test_means_over_some_classes():
    row = Scores.from_confusion(CONFUSION, over=[2]).as_row()
    assert row == pytest.approx({"miou": 0.25, "fp": 0, "fn": 0.75, "fp_all": 0, "fn_all": 0.75})
    row = Scores.from_confusion(CONFUSION, over=[0, 2, 2]).as_row()
    assert row == pytest.approx({"miou": 0.4375, "fp": 0, "fn": 0.75, "fp_all": 0.125, "fn_all": 0.4375})
    assert math.isnan(Scores.from_confusion(CONFUSION, over=[0]).fp)


@pytest.mark.parametrize("over", [[], [3], [-1]])
def test_means_over_classes_that_are_not_there_are_refused(over):
    with pytest.raises(ValueError, match="0…2"):
        Scores.from_confusion(CONFUSION, over)
