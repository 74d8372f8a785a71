import torch

from mars_pl.wsss.propagation.cells import pad_to_cells


def test_padding_is_right_and_below_and_only_where_a_cell_is_broken():
    maps = torch.ones(1, 3, 5)
    assert pad_to_cells(maps, 4, 7.0)[0].tolist() == [[1.0] * 5 + [7.0] * 3] * 3 + [[7.0] * 8]
    assert pad_to_cells(torch.ones(1, 8, 4), 4).shape == (1, 8, 4)
