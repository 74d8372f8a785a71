import math

import torch

from mars_pl.debias.target_share import Kinds, count_kinds, region_iou


def test_the_iou_of_a_region_skips_ignored_pixels():
    truth = torch.tensor([[1, 1, 0, 255], [1, 2, 0, 255]])
    region = torch.tensor([[True, True, True, True], [False, True, False, False]])
    # Three target pixels, four counted region pixels, two shared: 2 / 5.
    assert region_iou(region, truth, 1, 255) == 0.4


def test_nothing_on_either_side_is_no_number():
    assert math.isnan(region_iou(torch.zeros(2, 2, dtype=torch.bool), torch.full((2, 2), 255), 1, 255))


def test_kinds_by_the_rule_of_figure_8():
    iou = torch.tensor([0.31, 0.30, 0.10, 0.09, 0.0, float("nan"), 0.9], dtype=torch.float64)
    assert count_kinds(iou) == Kinds(targets=2, biased=2, between=2)
    assert count_kinds(iou).share == 0.5


def test_no_share_where_nothing_can_be_judged():
    assert count_kinds(torch.full((3,), float("nan"))).share is None
    assert count_kinds(torch.tensor([0.2])).share is None
