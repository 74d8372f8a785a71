import pytest
import torch

from mars_pl.optimisation import poly


def test_poly_decays_to_nearly_zero_by_hand():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = poly(optimizer, total_steps=4)
    rates = []
    for _ in range(5):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[:4] == pytest.approx([2.0, 2 * 0.75**0.9, 2 * 0.5**0.9, 2 * 0.25**0.9])
    assert rates[4] > 0


def test_no_step_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        poly(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), 0)
