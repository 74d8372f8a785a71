import pytest
import torch
from torch import nn

from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.networks.wide_resnet38 import WideResNet38
from mars_pl.segment.deeplab_dhr import DHRDeepLabV1, DHRDeepLabV2

IMAGES = torch.randint(0, 256, (2, 3, 64, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def make(name):
    torch.manual_seed(0)
    if name == "v2":
        return DHRDeepLabV2(4, "test_resnet")
    return DHRDeepLabV1(4, TimmIntermediateFeatures("test_resnet", frozen_batch_norm=False), channels=8)


NETWORKS = pytest.mark.parametrize("name", ["v1", "v2"])


def test_v2_is_the_published_resnet101_and_looks_once():
    with torch.device("meta"):
        network = DHRDeepLabV2(21, "resnet101")
    features = network.encoder.features
    dilations = {stage: [block.conv2.dilation[0] for block in features[stage]] for stage in ("layer3", "layer4")}
    assert dilations == {"layer3": [1] + 22 * [2], "layer4": [1, 4, 4]}
    assert features.layer2[0].conv2.stride == (2, 2) and not features.maxpool.ceil_mode
    assert [part.dilation[0] for part in network.classifiers] == [6, 12, 18, 24]
    for side, cells in ((512, 64), (321, 41)):  # while training too: one tensor of logits
        image = torch.zeros(1, 3, side, side, dtype=torch.uint8, device="meta")
        assert network.train()(image).shape == (1, 21, cells, cells)


def test_v1_is_the_published_head_without_relu():
    with torch.device("meta"):
        network = DHRDeepLabV1(21, WideResNet38(frozen_front=False, frozen_batch_norm=False, batch_norm_momentum=3e-4))
        assert network(torch.zeros(1, 3, 512, 512, dtype=torch.uint8)).shape == (1, 21, 64, 64)
    assert not any(isinstance(part, nn.ReLU) for part in network.head)
    fov, _, second, _, dropout, classifier = network.head
    assert (fov.weight.shape, fov.dilation, fov.bias) == ((512, 4096, 3, 3), (12, 12), None)
    assert (second.weight.shape, second.bias, dropout.p) == ((512, 512, 1, 1), None, 0.5)
    assert classifier.bias is not None
    assert {part.momentum for part in network.modules() if isinstance(part, nn.BatchNorm2d)} == {3e-4}
    assert all(parameter.requires_grad for parameter in network.parameters())


@NETWORKS
def test_everything_learns_and_every_statistic_moves(name):
    network = make(name).train()
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    means = [part.running_mean.clone() for part in norms]
    network(IMAGES).square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(not torch.equal(mean, part.running_mean) for mean, part in zip(means, norms, strict=True))


@NETWORKS
def test_two_rates_and_no_parameter_is_spared_the_decay(name):
    network = make(name)
    groups = network.parameter_groups(1e-3, 10)
    assert [group["lr"] for group in groups] == pytest.approx([1e-3, 1e-2])
    assert all(group.keys() == {"params", "lr"} for group in groups)
    backbone, head = ({id(parameter) for parameter in group["params"]} for group in groups)
    every = {id(parameter) for parameter in network.parameters()}
    assert backbone | head == every and not backbone & head
    new = network.head if name == "v1" else network.classifiers
    assert head == {id(parameter) for parameter in new.parameters()}
