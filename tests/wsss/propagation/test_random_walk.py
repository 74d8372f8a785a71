import pytest
import torch

from mars_pl.wsss.propagation.random_walk import half_disc, random_walk, transition_matrix

WALK = {"exponent": 10, "steps": 256}


def grid(height, width, radius=3, maps=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    offsets = half_disc(radius)
    affinity = torch.rand(len(offsets), height, width, generator=generator, dtype=torch.float64)
    return torch.rand(maps, height, width, generator=generator, dtype=torch.float64), offsets, affinity


def literal_transition(offsets, affinity, exponent):
    """The published matrix, cell by cell: A of all pairs, to the power, columns divided by their sums."""
    _, height, width = affinity.shape
    dense = torch.eye(height * width, dtype=torch.float64)
    for index, (down, right) in enumerate(offsets.tolist()):
        for y in range(height):
            for x in range(width):
                if 0 <= y + down < height and 0 <= x + right < width:
                    one, other = y * width + x, (y + down) * width + x + right
                    dense[one, other] = dense[other, one] = affinity[index, y, x]
    dense = dense**exponent
    return dense / dense.sum(dim=0, keepdim=True)


def test_the_half_disc_of_radius_three_by_hand():
    below = [(1, -2), (1, -1), (1, 0), (1, 1), (1, 2), (2, -2), (2, -1), (2, 0), (2, 1), (2, 2)]
    assert half_disc(3).tolist() == [[0, 1], [0, 2], *map(list, below)]
    assert half_disc(2).tolist() == [[0, 1], [1, -1], [1, 0], [1, 1]]


@pytest.mark.parametrize(("radius", "pairs"), [(5, 34), (10, 152)])
def test_the_half_disc_holds_each_pair_of_opposite_neighbours_once(radius, pairs):
    half = {tuple(offset) for offset in half_disc(radius).tolist()}
    disc = {
        (y, x) for y in range(-radius, radius + 1) for x in range(-radius, radius + 1) if 0 < y * y + x * x < radius**2
    }
    assert half | {(-y, -x) for y, x in half} == disc
    assert len(half) == pairs == len(disc) // 2


def test_a_radius_without_neighbours_is_refused():
    with pytest.raises(ValueError, match="radius of 1 reaches no neighbour"):
        half_disc(1)


@pytest.mark.parametrize(("height", "width"), [(5, 7), (2, 3), (1, 6), (6, 1)])
def test_the_matrix_is_the_literal_one_transposed(height, width):
    _, offsets, affinity = grid(height, width)
    found = transition_matrix(offsets, affinity**3).to_dense()
    assert torch.allclose(found, literal_transition(offsets, affinity, 3).T, atol=1e-12)
    assert torch.allclose(found.sum(1), torch.ones(height * width, dtype=torch.float64))


def test_the_walk_is_the_power_of_the_literal_matrix():
    maps, offsets, affinity = grid(6, 5)
    transition = literal_transition(offsets, affinity, 10)
    for _ in range(8):
        transition = transition @ transition
    expected = (maps.flatten(1) @ transition).view_as(maps)
    assert torch.allclose(random_walk(maps, offsets, affinity, **WALK), expected, atol=1e-10)
    assert torch.allclose(random_walk(maps.float(), offsets, affinity, **WALK), expected.float(), atol=1e-4)


def test_the_order_of_the_offsets_does_not_matter():
    maps, offsets, affinity = grid(5, 6)
    order = torch.randperm(len(offsets), generator=torch.Generator().manual_seed(1))
    shuffled = random_walk(maps, offsets[order], affinity[order], **WALK)
    assert torch.allclose(shuffled, random_walk(maps, offsets, affinity, **WALK), atol=1e-12)


def test_scores_stop_at_a_wall_and_level_out_within_it():
    maps = torch.zeros(1, 4, 6)
    maps[0, 0, 0] = 1.0
    offsets = half_disc(2)
    affinity = torch.ones(len(offsets), 4, 6)
    column = torch.arange(6)
    for index, (_, right) in enumerate(offsets.tolist()):  # no pair crosses from column 2 to 3
        affinity[index][:, (column <= 2) != (column + right <= 2)] = 0
    walked = random_walk(maps, offsets, affinity, exponent=10, steps=300)[0]
    assert not walked[:, 3:].any()
    assert walked[:, :3].min() > 0 and walked[:, :3].max() - walked[:, :3].min() < 1e-5


def test_what_is_constant_stays_and_nothing_exceeds_the_maximum():
    maps, offsets, affinity = grid(7, 6)
    walked = random_walk(maps, offsets, affinity, exponent=2, steps=20)
    assert walked.max() <= maps.max() and walked.min() >= maps.min()
    assert torch.allclose(
        random_walk(torch.full_like(maps, 0.4), offsets, affinity, **WALK), torch.tensor(0.4).double()
    )


def test_cells_without_affinity_keep_their_scores_and_no_map_gives_none():
    maps, offsets, affinity = grid(4, 4)
    assert torch.equal(random_walk(maps, offsets, torch.zeros_like(affinity), **WALK), maps)
    assert random_walk(maps[:0], offsets, affinity, **WALK).shape == (0, 4, 4)


def test_mixed_precision_around_it_changes_nothing():
    maps, offsets, affinity = grid(5, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = random_walk(maps.float(), offsets, affinity, **WALK)
    assert torch.equal(inside, random_walk(maps.float(), offsets, affinity, **WALK))


def test_an_affinity_of_another_grid_is_refused():
    maps, offsets, affinity = grid(5, 5)
    with pytest.raises(ValueError, match=r"affinity of shape \(12, 5, 4\) does not fit 12 offsets and maps of 5×5"):
        random_walk(maps, offsets, affinity[:, :, :4], **WALK)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_walks_alike():
    maps, offsets, affinity = grid(20, 30, radius=5)
    found = random_walk(maps.cuda(), offsets, affinity.cuda(), **WALK)
    assert torch.allclose(found.cpu(), random_walk(maps, offsets, affinity, **WALK), atol=1e-10)
