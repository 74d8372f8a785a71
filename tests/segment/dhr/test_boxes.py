import torch

from mars_pl.segment.dhr.boxes import Box, boxes_of


def test_an_image_has_the_box_of_its_valid_pixels_or_all():
    valid = torch.zeros(2, 4, 6, dtype=torch.bool)
    valid[0, 1:3, 2:6] = True
    valid[1] = True
    images = torch.zeros(2, 3, 4, 6)
    assert boxes_of(images, valid) == [Box(1, 3, 2, 6), Box(0, 4, 0, 6)]
    assert boxes_of(images, None) == [Box(0, 4, 0, 6)] * 2
    assert Box(1, 3, 2, 6).size == (2, 4)


def test_cells_of_a_box_are_rounded_down_and_never_none():
    assert Box(0, 8, 4, 16).in_cells((2, 4), (8, 16)) == Box(0, 2, 1, 4)
    assert Box(0, 7, 0, 16).in_cells((2, 4), (8, 16)) == Box(0, 1, 0, 4)
    assert Box(7, 8, 15, 16).in_cells((2, 4), (8, 16)) == Box(1, 2, 3, 4)
    maps = torch.arange(8).view(1, 2, 4)
    assert Box(0, 2, 1, 3).of(maps).tolist() == [[[1, 2], [5, 6]]]
