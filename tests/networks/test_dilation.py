import pytest
import timm
import torch
from torch import nn

from mars_pl.networks.dilation import dilate_first_blocks, undilate
from mars_pl.networks.encoder import Encoder


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


def dilations(network, stage):
    return [block.conv2.dilation[0] for block in network.get_submodule(stage)]


@pytest.mark.parametrize(("first", "layer3", "layer4"), [(None, 1, 2), ((2, 4), 2, 4), ((1, 1), 1, 1)])
def test_first_blocks_of_resnet50_as_timm_deeplabv2_and_rsepm_have_them(first, layer3, layer4):
    with torch.device("meta"):
        encoder = Encoder("resnet50", 8, first_dilations=first)
    assert dilations(encoder.features, "layer3") == [layer3, 2, 2, 2, 2, 2]
    assert dilations(encoder.features, "layer4") == [layer4, 4, 4]
    assert encoder(torch.zeros(1, 3, 60, 97, device="meta"))[1].shape == (1, 2048, 8, 13)


def test_another_encoder_has_no_first_blocks():
    with pytest.raises(ValueError, match=r"first_dilations: .*no layer3.*null"):
        dilate_first_blocks(timm.create_model("test_efficientnet", features_only=True), (2, 4))
