"""Which cells the probe learns from, and what they are called."""

import pytest
import torch

from mars_pl.debias.probe.cells import BACKGROUND, BIASED, OBJECT, Cells, cells_of, even_steps, together

CODES = {"ignore_index": 255, "biased_index": 254}


def test_a_cell_is_what_covers_most_of_it_and_classes_count_together():
    label = torch.tensor([[0, 0, 3, 5], [0, 3, 254, 3], [254, 254, 255, 255], [254, 0, 255, 0]])
    features = torch.arange(8.0).reshape(2, 2, 2)  # cell 0 has (0, 4), the last (3, 7)
    cells = cells_of(features, label, 100, **CODES)
    assert cells.kinds.tolist() == [BACKGROUND, OBJECT, BIASED], "3 and 5 are objects; the last cell is ignored"
    assert cells.tokens.tolist() == [[0, 4], [1, 5], [2, 6]]


def test_of_many_cells_some_are_taken_at_even_steps():
    label = torch.zeros(10, 10, dtype=torch.uint8)
    label[0] = 255  # the first row of cells takes no part
    cells = cells_of(torch.arange(100.0).reshape(1, 10, 10), label, 3, **CODES)
    assert cells.tokens.flatten().tolist() == [10 + 15, 10 + 45, 10 + 75]
    assert cells.kinds.dtype == torch.int64 and cells.tokens.dtype == torch.float32


@pytest.mark.parametrize("count", [0, 1, 7, 100])
@pytest.mark.parametrize("most", [1, 7, 30])
def test_even_steps_never_take_a_place_twice_nor_beyond_the_last(count, most):
    places = even_steps(count, most).tolist()
    assert len(set(places)) == len(places) == min(count, most)
    assert all(0 <= place < count for place in places) and places == sorted(places)


def test_an_image_of_ignored_pixels_gives_none_and_images_come_together():
    nothing = cells_of(torch.ones(2, 3, 3), torch.full((6, 6), 255), 5, **CODES)
    assert len(nothing.kinds) == 0
    one = Cells(torch.ones(2, 2), torch.tensor([0, 1]))
    both = together([nothing, one, one])
    assert both.tokens.shape == (4, 2) and both.kinds.tolist() == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="no cell of background or object"):
        together([nothing])
