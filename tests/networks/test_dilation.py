import pytest
import timm
import torch
from torch import nn

from mars_pl.networks.dilation import undilate


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "tf_efficientnet_lite0"])
def test_no_convolution_stays_dilated_and_the_map_keeps_its_size(name):
    network = timm.create_model(name, features_only=True, output_stride=8).eval()
    image = torch.zeros(1, 3, 64, 48)
    before = network(image)[-1].shape
    assert any(layer.dilation != (1, 1) for layer in network.modules() if isinstance(layer, nn.Conv2d))
    undilate(network)
    assert all(layer.dilation == (1, 1) for layer in network.modules() if isinstance(layer, nn.Conv2d))
    assert network(image)[-1].shape == before


def test_a_dilated_convolution_becomes_the_plain_one():
    torch.manual_seed(0)
    plain = nn.Conv2d(2, 3, 3, padding=1)
    dilated = nn.Conv2d(2, 3, 3, padding=4, dilation=4)
    dilated.load_state_dict(plain.state_dict())
    undilate(dilated)
    image = torch.rand(1, 2, 7, 5)
    assert torch.equal(dilated(image), plain(image))
