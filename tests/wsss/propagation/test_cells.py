import torch

from mars_pl.wsss.propagation.cells import inner_starts, pad_to_cells
from mars_pl.wsss.propagation.random_walk import half_disc


def test_padding_is_right_and_below_and_only_where_a_cell_is_broken():
    maps = torch.ones(1, 3, 5)
    assert pad_to_cells(maps, 4, 7.0)[0].tolist() == [[1.0] * 5 + [7.0] * 3] * 3 + [[7.0] * 8]
    assert pad_to_cells(torch.ones(1, 8, 4), 4).shape == (1, 8, 4)


def test_inner_pairs_start_away_from_three_sides_by_hand():
    inner = inner_starts((4, 6), 2)
    assert inner.int().tolist() == [[0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0], [0] * 6, [0] * 6]
    assert inner_starts((3, 4), 0).all()


def test_no_pair_that_starts_inside_leaves_the_grid_and_every_other_start_has_one_that_does():
    offsets = half_disc(3).tolist()
    for y, row in enumerate(inner_starts((5, 7), 2).tolist()):
        for x, inside in enumerate(row):
            assert inside == all(y + down < 5 and 0 <= x + right < 7 for down, right in offsets)


def test_on_a_grid_too_small_every_cell_starts_pairs():
    assert inner_starts((2, 9), 2).all() and inner_starts((9, 4), 2).all()
    assert not inner_starts((3, 5), 2).all()
