import pytest
import torch
from torch import nn

from mars_pl.networks.own_precision import in_own_precision

HALVES = [torch.float16, torch.bfloat16]


@pytest.mark.parametrize("half", HALVES)
def test_autocast_does_not_round_what_the_layer_says(half):
    torch.manual_seed(0)
    layer, features = nn.Conv2d(64, 3, 1), torch.randn(2, 64, 5, 5).to(half)
    expected = layer(features.float())
    with torch.autocast("cpu", dtype=half):
        assert layer(features).dtype == half
        assert torch.equal(in_own_precision(layer, features), expected)
        assert layer(features).dtype == half, "autocast goes on behind it"


def test_a_layer_in_another_precision_keeps_to_it():
    layer = nn.Conv2d(4, 3, 1).double()
    assert in_own_precision(layer, torch.randn(1, 4, 2, 2)).dtype == torch.float64
