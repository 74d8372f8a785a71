"""The confusion matrix and its treatment of the label codes."""

import numpy as np
import pytest

from mars_pl.metrics.confusion import class_counts, confusion_matrix


def test_truth_in_rows_and_prediction_in_columns():
    truth = np.array([[0, 0, 1], [1, 2, 2]], dtype=np.uint8)
    prediction = np.array([[0, 1, 1], [1, 1, 0]], dtype=np.uint8)
    counts = confusion_matrix(prediction, truth, 3)
    assert counts.dtype == np.int64
    assert counts.tolist() == [[1, 1, 0], [0, 2, 0], [1, 1, 0]]


def test_codes_in_a_prediction_are_background_and_only_ignored_truth_is_skipped():
    truth = np.array([1, 1, 0, 255, 255], dtype=np.uint8)
    prediction = np.array([254, 255, 254, 1, 255], dtype=np.uint8)
    assert confusion_matrix(prediction, truth, 2).tolist() == [[1, 0], [2, 0]]
    assert confusion_matrix(prediction, np.array([1, 1, 0, 9, 9]), 2, ignore_index=9).tolist() == [[1, 0], [2, 0]]


def test_many_classes_do_not_overflow_eight_bits():
    truth = np.array([200, 200], dtype=np.uint8)
    counts = confusion_matrix(np.array([200, 3], dtype=np.uint8), truth, 201)
    assert counts[200, 200] == 1 and counts[200, 3] == 1 and counts.sum() == 2


def test_three_counts_a_class_are_diagonal_and_sums_of_the_matrix():
    truth = np.array([[0, 0, 1, 1], [2, 2, 255, 0]], dtype=np.uint8)
    prediction = np.array([[0, 1, 1, 254], [1, 2, 2, 255]], dtype=np.uint8)
    assert class_counts(prediction, truth, 4).tolist() == [[2, 1, 1, 0], [3, 3, 1, 0], [3, 2, 2, 0]]
    matrix = confusion_matrix(prediction, truth, 4)
    assert np.array_equal(class_counts(prediction, truth, 4), [np.diagonal(matrix), matrix.sum(0), matrix.sum(1)])


def test_nothing_to_count_is_zero():
    assert confusion_matrix(np.array([1]), np.array([255]), 2).tolist() == [[0, 0], [0, 0]]


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="holds 254, classes go to 1"):
        confusion_matrix(np.array([0]), np.array([254], dtype=np.uint8), 2)
    with pytest.raises(ValueError, match="shape"):
        confusion_matrix(np.zeros((2, 3), dtype=np.uint8), np.zeros((3, 2), dtype=np.uint8), 2)
