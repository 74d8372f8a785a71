import numpy as np
import pytest

from mars_pl.segment.adele.early_learning import early_learning_ended, fit_curve, learning_curve, slope


def points(a, b, c, epochs, per_epoch=10):
    return learning_curve(np.linspace(0, epochs, epochs * per_epoch), a, b, c).tolist()


def test_the_curve_and_its_slope_by_hand():
    assert learning_curve(np.array([2.0]), 0.8, 0.5, 3.0)[0] == pytest.approx(0.8 * (1 - np.exp(-(2**0.5) / 3)))
    before, after = learning_curve(np.array([2 - 1e-5, 2 + 1e-5]), 0.8, 0.5, 3.0)
    assert slope(2.0, 0.8, 0.5, 3.0) == pytest.approx((after - before) / 2e-5, rel=1e-5)


@pytest.mark.parametrize("parameters", [(0.8, 0.9, 1.5), (0.5, 0.6, 3.0)])
def test_a_curve_is_found_again(parameters):
    assert fit_curve(points(*parameters, epochs=6), 10) == pytest.approx(parameters, rel=1e-3)


def test_a_class_is_due_in_the_first_epoch_whose_slope_has_fallen_by_nine_tenths():
    a, b, c = 0.7, 1.0, 1.6  # slope at x over that at 1: exp(−(x − 1) / 1.6), a tenth at x = 1 + 1.6 ln 10 = 4.68
    due = [epoch for epoch in range(8) if early_learning_ended(points(a, b, c, epoch + 1), 10, epoch)]
    assert due == [5, 6, 7]
    assert early_learning_ended(points(a, b, c, 4), 10, 3, change=0.7), "1 − exp(−2 / 1.6) = .71"
    assert not early_learning_ended(points(a, b, c, 4), 10, 3, change=0.72)


def test_what_is_not_learnt_or_hardly_begun_is_never_due():
    assert not early_learning_ended([0.0] * 60, 10, 5), "a class that the network never predicts"
    assert not early_learning_ended([0.1, 0.5], 10, 5), "two points are no curve"
    assert not early_learning_ended(points(0.7, 1.0, 0.1, 1), 10, 0), "the slope is held against that at epoch 1"
    steady = np.linspace(0, 0.1, 60).tolist()
    assert not early_learning_ended(steady, 10, 5), "still rising"
