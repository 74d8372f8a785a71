import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment, linprog

from mars_pl.segment.dhr.transport import class_shares, to_unit_range, transport_plan


def similarities(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def least_cost(cost, cells, classes):
    """Of all plans with these masses, by linear programming."""
    rows = np.kron(np.eye(len(cells)), np.ones(len(classes)))
    columns = np.kron(np.ones(len(cells)), np.eye(len(classes)))
    found = linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([cells, classes]))
    return found.fun


def test_a_plan_by_hand():
    # kernels e^0 and e^-10: all but e^-10 of each cell's half goes to its own class
    plan = transport_plan(torch.eye(2, dtype=torch.float64), iterations=1000, tolerance=0)
    share = 1 / (1 + np.exp(-10))
    assert np.allclose(plan, [[share / 2, (1 - share) / 2], [(1 - share) / 2, share / 2]])


def test_with_little_entropy_equally_many_cells_and_classes_are_assigned_as_scipy_assigns_them():
    similarity = similarities(5, 5)
    plan = transport_plan(similarity, epsilon=0.002, iterations=5_000, tolerance=0)
    rows, columns = linear_sum_assignment(-similarity.numpy())
    assert plan.argmax(dim=1).tolist() == columns[rows.argsort()].tolist()


@pytest.mark.parametrize("mass", [None, [0.6, 0.3, 0.1]])
def test_with_little_entropy_the_cost_is_the_least_there_is(mass):
    similarity = similarities(7, 3, seed=1)
    given = None if mass is None else torch.tensor(mass, dtype=torch.float64)
    plan = transport_plan(similarity, given, epsilon=0.002, iterations=5_000, tolerance=0)
    cost = (1 - similarity).numpy()
    expected = least_cost(cost, np.full(7, 1 / 7), np.full(3, 1 / 3) if mass is None else mass)
    assert (plan.numpy() * cost).sum() == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("mass", [None, torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)])
def test_columns_have_their_mass_and_rows_theirs(mass):
    plan = transport_plan(similarities(50, 3), mass, tolerance=0)
    assert torch.allclose(plan.sum(dim=0), torch.full((3,), 1 / 3, dtype=torch.float64) if mass is None else mass)
    assert torch.allclose(plan.sum(dim=1), torch.full((50,), 1 / 50, dtype=torch.float64), rtol=1e-6)


def test_several_plans_at_once_are_those_of_each():
    similarity = similarities(2, 6, 3)
    together = transport_plan(similarity, tolerance=0)
    assert torch.allclose(together, torch.stack([transport_plan(each, tolerance=0) for each in similarity]))


def test_even_masses_give_a_small_class_more_than_its_similarity():
    # two classes in a row of ten cells: all are a little more like the first, the last ones least so
    similarity = torch.stack([torch.full((10,), 0.6), torch.linspace(0.1, 0.5, 10)], dim=1)
    assert (similarity.argmax(dim=1) == 0).all()
    plan = transport_plan(similarity, iterations=1000, tolerance=0)
    assert plan.argmax(dim=1).tolist() == [0] * 5 + [1] * 5
    little = transport_plan(similarity, torch.tensor([0.9, 0.1]), iterations=1000, tolerance=0)
    assert little.argmax(dim=1).sum() <= 1


@pytest.mark.parametrize(("epsilon", "iterations"), [(0, 10), (-0.1, 10), (0.1, 0)])
def test_settings_that_mean_nothing_are_refused(epsilon, iterations):
    with pytest.raises(ValueError, match=f"not {epsilon} and {iterations}"):
        transport_plan(torch.eye(2), epsilon=epsilon, iterations=iterations)


def test_the_end_comes_when_factors_hardly_move():
    similarity = similarities(8, 3)
    assert torch.equal(transport_plan(similarity, tolerance=1e9), transport_plan(similarity, iterations=1, tolerance=0))


def test_a_half_precision_map_is_transported_in_float32():
    assert transport_plan(torch.eye(3).bfloat16()).dtype == torch.float32


def test_maps_are_brought_to_the_unit_range_and_an_even_one_to_nothing():
    maps = torch.stack([torch.tensor([[1.0, 2.0], [3.0, 5.0]]), torch.full((2, 2), 0.7)])
    assert torch.allclose(to_unit_range(maps)[0], torch.tensor([[0, 0.25], [0.5, 1]]))
    assert (to_unit_range(maps)[1] == 0).all()


def test_shares_of_classes_are_their_columns_of_the_plan():
    maps = similarities(3, 4, 5)
    shares = class_shares(maps, tolerance=0)
    plan = transport_plan(maps.flatten(1).T, tolerance=0)
    assert shares.shape == maps.shape
    assert torch.allclose(shares[1].flatten(), (plan[:, 1] - plan[:, 1].min()) / (plan[:, 1].max() - plan[:, 1].min()))
    counts = class_shares(maps, torch.tensor([6, 3, 1]), tolerance=0)
    assert torch.allclose(counts, class_shares(maps, torch.tensor([0.6, 0.3, 0.1]).double(), tolerance=0))
