import pytest
import timm
import torch
from torch import nn

from mars_pl.networks.caffe_layout import CAFFE_MEAN, CAFFE_STD, ceil_pooling, stride_in_first_convolution
from mars_pl.networks.normalise import Normalise


def resnet(**options):
    return timm.create_model("resnet50", features_only=True, layers=[1, 1, 1, 1], **options)


def test_the_stride_moves_and_maps_keep_their_sizes():
    network = resnet(output_stride=8).eval()
    image = torch.rand(1, 3, 65, 40)
    before = [features.shape for features in network(image)]
    stride_in_first_convolution(network)
    first = [network.get_submodule(f"layer{number}.0") for number in (1, 2, 3, 4)]
    assert [(block.conv1.stride, block.conv2.stride) for block in first] == [
        ((1, 1), (1, 1)),
        ((2, 2), (1, 1)),
        ((1, 1), (1, 1)),
        ((1, 1), (1, 1)),
    ]
    assert [features.shape for features in network(image)] == before


def test_another_output_stride_has_every_stride_in_the_first_convolution():
    network = resnet()
    stride_in_first_convolution(network)
    strides = [network.get_submodule(f"layer{number}.0.conv1").stride[0] for number in (1, 2, 3, 4)]
    assert strides == [1, 2, 2, 2]


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet"])
def test_networks_without_bottlenecks_are_refused(name):
    with pytest.raises(ValueError, match=r"layout: .*no ResNet with bottlenecks"):
        stride_in_first_convolution(timm.create_model(name, features_only=True))


def test_the_pool_keeps_the_last_column():
    network = resnet()
    ceil_pooling(network)
    row = torch.arange(6.0).view(1, 1, 1, 6).expand(1, 1, 6, 6)
    assert network.maxpool(row)[0, 0, 0].tolist() == [1, 3, 5, 5]
    with pytest.raises(ValueError, match="ceil_mode"):
        ceil_pooling(nn.Sequential())


def test_caffes_images_are_less_a_mean_and_not_divided():
    image = torch.arange(256, dtype=torch.uint8).view(1, 1, 1, 256).expand(1, 3, 1, 256)
    grey, mean = torch.arange(256.0), torch.tensor([122.675, 116.669, 104.008]).view(3, 1, 1)
    assert torch.allclose(Normalise(CAFFE_MEAN, CAFFE_STD)(image)[0], grey - mean, atol=1e-4)
