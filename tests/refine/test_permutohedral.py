"""The lattice against the sum over all pairs of points that it stands for."""

import pytest
import torch

from mars_pl.refine.permutohedral import PermutohedralLattice


def points(batch, dimensions, count, spread=1.0, seed=0):
    return spread * torch.randn(batch, dimensions, count, generator=torch.Generator().manual_seed(seed))


def all_pairs(one_set):
    """exp(−|difference|² / 2) of all pairs of (d, N) points."""
    return (-0.5 * torch.cdist(one_set.T, one_set.T).square()).exp()


def matrix(lattice, count):
    """Row i holds what value i gives to each point."""
    return lattice.filter(torch.eye(count))


@pytest.mark.parametrize(
    ("dimensions", "spread", "error"), [(1, 3.0, 0.01), (2, 2.0, 0.01), (3, 2.0, 0.02), (5, 0.5, 0.02)]
)
def test_weighted_means_are_near_those_of_the_gaussian(dimensions, spread, error):
    where = points(1, dimensions, 400, spread)
    values = (where[0, :1] > 0).float()
    kernel = all_pairs(where[0])
    expected = values @ kernel / kernel.sum(0)
    lattice = PermutohedralLattice.around(where)
    found = lattice.filter(values) / lattice.filter(torch.ones(1, 400))
    assert expected.std() > 4 * error, "there is something to be missed"
    assert (found - expected).abs().mean() < error


def test_one_dimension_written_out():
    # d = 1: a simplex is a stretch of a line, 2 of whose coordinates are x · s and −x · s, s = √(2/3) · 2 / √2.
    scale = (2 / 3) ** 0.5 * 2 / 2**0.5
    where = torch.tensor([0.1, 0.9, 1.7, 5.0])
    lattice = PermutohedralLattice.around(where.view(1, 1, 4))
    place = where * scale  # the lattice points are the whole numbers
    hats = torch.stack([(1 - (place - point).abs()).clamp(min=0) for point in torch.arange(-2.0, 9.0)], dim=1)
    used = (hats > 0).any(dim=0)
    blur = torch.eye(11)
    blur[range(10), range(1, 11)] = blur[range(1, 11), range(10)] = 0.5
    blur *= used * used[:, None]
    expected = hats @ blur @ blur @ hats.T / 1.5  # along both axes, which are the same line
    torch.testing.assert_close(matrix(lattice, 4), expected, rtol=0, atol=1e-6)


def test_weights_are_shares_and_corners_different():
    lattice = PermutohedralLattice.around(points(2, 5, 300, 3.0))
    torch.testing.assert_close(lattice.weights.sum(dim=0), torch.ones(600))
    assert lattice.weights.min() > -1e-5 and lattice.corners.shape == (6, 600)
    assert (lattice.corners.sort(dim=0).values.diff(dim=0) > 0).all()


def test_a_neighbour_on_one_side_has_oneself_on_the_other():
    lattice = PermutohedralLattice.around(points(2, 3, 500))
    first, second = lattice.neighbours.long().unbind(dim=1)
    missing = first.shape[1] - 1
    places = torch.arange(missing)
    for ahead, behind in zip(first, second, strict=True):
        there = ahead[:-1] != missing
        assert 0.2 < there.float().mean() < 1 and there.sum() == (behind[:-1] != missing).sum()
        assert torch.equal(behind[ahead[:-1][there]], places[there])
        assert ahead[-1] == behind[-1] == missing


def test_normalised_it_is_symmetric_with_the_published_normalisation():
    where = points(1, 2, 50)
    plain = PermutohedralLattice.around(where)
    kernel = matrix(plain, 50)
    sums = kernel.sum(dim=0)
    expected = 4 * kernel / (sums[:, None] * sums).sqrt()
    torch.testing.assert_close(matrix(plain.normalised(4), 50), expected, rtol=1e-4, atol=1e-5)


def test_constants_are_kept_by_the_mean():
    lattice = PermutohedralLattice.around(points(1, 5, 80))
    mean = lattice.filter(torch.full((1, 80), 0.3)) / lattice.filter(torch.ones(1, 80))
    torch.testing.assert_close(mean, torch.full((1, 80), 0.3))


def test_sets_of_a_batch_do_not_meet():
    where = points(1, 3, 60).expand(2, -1, -1) + torch.tensor([0.0, 0.25])[:, None, None]
    values = torch.rand(2, 120, generator=torch.Generator().manual_seed(1))
    together = PermutohedralLattice.around(where).filter(values)
    for index, one in enumerate(where):
        part = slice(60 * index, 60 * (index + 1))
        torch.testing.assert_close(together[:, part], PermutohedralLattice.around(one[None]).filter(values[:, part]))


def test_channels_at_once_as_on_an_accelerator():
    lattice = PermutohedralLattice.around(points(1, 5, 90))
    values = torch.rand(3, 90, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(lattice._filter(values), lattice.filter(values))


def test_points_that_coincide_share_everything():
    lattice = PermutohedralLattice.around(torch.full((1, 5, 7), 0.4))
    filtered = lattice.filter(torch.eye(7))
    torch.testing.assert_close(filtered, filtered[:1, :1].expand(7, 7))
    assert lattice.neighbours.shape[2] == 7  # six corners and the place of what is missing


def test_points_too_far_apart_are_refused_in_one_line():
    far = torch.stack([torch.zeros(5), torch.full((5,), 1e6)], dim=1)
    with pytest.raises(ValueError, match="take a longer reach") as caught:
        PermutohedralLattice.around(far[None])
    assert "\n" not in str(caught.value)
