import math

import pytest
import torch

from mars_pl.wsss.clims.losses import match_loss, mismatch_loss, suppression_loss


def test_inside_and_outside_by_hand():
    similarities = torch.tensor([0.5, 0.25])
    assert match_loss(similarities).item() == pytest.approx(-(math.log(0.5) + math.log(0.25)) / 2)
    assert mismatch_loss(similarities).item() == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2)


def test_similarities_below_nothing_stay_finite():
    similarities = torch.tensor([-0.3, 1.0], requires_grad=True)
    loss = match_loss(similarities) + mismatch_loss(similarities)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(similarities.grad).all()


def test_a_batch_without_a_class_costs_nothing():
    assert match_loss(torch.zeros(0)).item() == mismatch_loss(torch.zeros(0)).item() == 0


def test_companions_above_the_threshold_are_summed():
    similarities = torch.tensor([[0.2, 0.3], [0.27, 0.26]])
    assert suppression_loss(similarities).item() == pytest.approx(-math.log(0.7) - math.log(0.73), rel=1e-5)
    assert suppression_loss(similarities, 0.5).item() == 0
