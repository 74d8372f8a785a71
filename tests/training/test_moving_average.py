from __future__ import annotations

import pytest
from torch import nn

from mars_pl.training.moving_average import ema_update


def norm(mean, weight, batches):
    """Batch norm of one channel with the given running mean, weight and counter."""
    layer = nn.BatchNorm1d(1)
    layer.running_mean.fill_(mean)
    layer.weight.data.fill_(weight)
    layer.num_batches_tracked.fill_(batches)
    return layer


def test_parameters_and_statistics_move_and_counters_are_copied():
    teacher, student = norm(1.0, 2.0, 3), norm(5.0, 4.0, 7)
    weight = teacher.weight
    ema_update(teacher, student, 0.75)
    assert teacher.running_mean.item() == pytest.approx(0.75 * 1 + 0.25 * 5)
    assert teacher.weight.item() == pytest.approx(0.75 * 2 + 0.25 * 4)
    assert teacher.num_batches_tracked.item() == 7
    assert teacher.weight is weight  # in place
    assert student.running_mean.item() == 5
