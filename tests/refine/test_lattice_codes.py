"""Numbers of lattice points: corners that coincide, and neighbours whatever slot of the hash table they took."""

import torch

from mars_pl.refine import lattice_codes
from mars_pl.refine.lattice_codes import corner_codes, neighbours_of


def test_codes_tell_the_corners_of_one_simplex():
    # d = 2, a point whose corner with remainder 0 is (3, 0, −3); ranks say which coordinate falls by 3 when.
    origin, rank = torch.tensor([[3.0], [0.0], [-3.0]]), torch.tensor([[1], [0], [2]])
    codes, strides = corner_codes(origin, rank, 1)
    corners = torch.tensor([[3, 0], [4, 1], [2, 2]])  # the last coordinate, −3 + 1, turns first: it has rank 2
    assert strides[2] == 0
    assert (codes.flatten().diff() == (corners * strides[:2]).sum(dim=1).diff()).all()


def test_the_same_corner_of_two_images_has_two_codes():
    origin, rank = torch.zeros(3, 2), torch.tensor([[0, 0], [1, 1], [2, 2]])
    assert corner_codes(origin, rank, 1)[0].unique().numel() == 3
    assert corner_codes(origin, rank, 2)[0].unique().numel() == 6


def literal_neighbours(lattice, strides):
    sides, count = len(strides), len(lattice)
    places = {code: place for place, code in enumerate(lattice.tolist())}
    steps = [sides * stride - sum(strides.tolist()) for stride in strides.tolist()]
    return [
        [[places.get(code + sign * step, count) for code in lattice.tolist()] + [count] for sign in (1, -1)]
        for step in steps
    ]


def test_neighbours_are_found_whatever_the_table_holds(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    lattice = torch.randint(0, 12**3, (600,), generator=generator).unique()
    strides = torch.tensor([144, 12, 1, 0])
    expected = torch.tensor(literal_neighbours(lattice, strides), dtype=torch.int32)
    assert 0.1 < (expected < len(lattice)).float().mean() < 0.9
    assert torch.equal(neighbours_of(lattice, strides), expected)
    monkeypatch.setattr(lattice_codes, "HASH_FACTOR", 1)  # all small codes share slot 0: one has a seat
    assert torch.equal(neighbours_of(lattice, strides), expected)


def test_a_lattice_point_alone_has_no_neighbours():
    assert torch.equal(neighbours_of(torch.tensor([5]), torch.tensor([1, 0])), torch.ones(2, 2, 2, dtype=torch.int32))
