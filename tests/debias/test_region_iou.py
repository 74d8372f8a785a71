import math

import torch

from mars_pl.debias.region_iou import region_iou


def test_the_iou_of_a_region_skips_ignored_pixels():
    truth = torch.tensor([[1, 1, 0, 255], [1, 2, 0, 255]])
    region = torch.tensor([[True, True, True, True], [False, True, False, False]])
    # Three target pixels, four counted region pixels, two shared: 2 / 5.
    assert region_iou(region, truth, 1, 255) == 0.4


def test_nothing_on_either_side_is_no_number():
    assert math.isnan(region_iou(torch.zeros(2, 2, dtype=torch.bool), torch.full((2, 2), 255), 1, 255))
