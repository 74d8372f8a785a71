import pytest
import torch

from mars_pl.training.optimisation import groups_by_role, optimisation, poly


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


def test_poly_changes_at_multiples_only():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = poly(optimizer, total_steps=25, every=10)
    rates = []
    for _ in range(25):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([2.0] * 10 + [2 * 0.6**0.9] * 10 + [2 * 0.2**0.9] * 5)


def test_no_step_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        poly(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), 0)
    with pytest.raises(ValueError, match="lr_every"):
        poly(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), 5, every=0)


def test_groups_by_role_by_hand():
    backbone, head = torch.nn.Conv2d(1, 2, 1), torch.nn.Conv2d(2, 3, 1)
    groups = groups_by_role([backbone], [head], lr=0.01, head_factor=10)
    assert [group["lr"] for group in groups] == pytest.approx([0.01, 0.02, 0.1, 0.2])
    made = optimisation("sgd", groups, 0.01, 0.9, 5e-4, 10)["optimizer"].param_groups
    assert [group["weight_decay"] for group in made] == [5e-4, 0, 5e-4, 0]
    expected = [backbone.weight, backbone.bias, head.weight, head.bias]
    assert [[id(p) for p in group["params"]] for group in groups] == [[id(p)] for p in expected]


def test_frozen_parameters_and_empty_groups_are_left_out():
    backbone = torch.nn.Conv2d(1, 2, 1).requires_grad_(False)
    groups = groups_by_role([backbone], [torch.nn.Conv2d(2, 3, 1, bias=False)], 0.01, 10)
    assert [group["lr"] for group in groups] == pytest.approx([0.1])
    optimisation("sgd", groups, 0.01, 5e-4, 5e-4, 10)
