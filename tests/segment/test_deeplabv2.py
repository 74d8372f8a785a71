import pytest
import torch
from torch import nn

from mars_pl.networks.aspp import resize
from mars_pl.segment.deeplabv2 import DeepLabV2

IMAGES = torch.randint(0, 256, (2, 3, 64, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def make(**options):
    torch.manual_seed(0)
    return DeepLabV2(4, "test_resnet", **options)


@pytest.fixture(scope="module", params=["resnet50", "resnet101"])
def of_shapes(request):
    """A published network without its weights."""
    with torch.device("meta"):
        return DeepLabV2(21, request.param)


@pytest.mark.parametrize(("side", "cells"), [(321, [41, 31, 21]), (448, [57, 43, 29]), (513, [65, 49, 33])])
def test_sides_of_the_published_networks(of_shapes, side, cells):
    image = torch.zeros(1, 3, side, side, dtype=torch.uint8, device="meta")
    assert of_shapes.eval()(image).shape == (1, 21, cells[0], cells[0])
    sides = [logits.shape[-2:] for logits in of_shapes.train()(image)]
    assert sides == [(n, n) for n in (*cells, cells[0])]


def test_strides_and_dilations_are_the_published_ones(of_shapes):
    features = of_shapes.encoder.features
    every = {stage: {(b.conv2.stride, b.conv2.dilation) for b in features[stage]} for stage in ("layer3", "layer4")}
    assert every == {"layer3": {((1, 1), (2, 2))}, "layer4": {((1, 1), (4, 4))}}
    assert [part.dilation[0] for part in of_shapes.classifiers] == [6, 12, 18, 24]
    assert all(part.weight.shape == (21, 2048, 3, 3) and part.bias is not None for part in of_shapes.classifiers)


def test_classifiers_are_summed_and_start_near_zero():
    network = make(scales=()).eval()
    assert all(0.009 < part.weight.std() < 0.011 and not part.bias.any() for part in network.classifiers)
    _, last = network.encoder(network.normalise(IMAGES))
    expected = sum(part(last) for part in network.classifiers)
    assert torch.allclose(network(IMAGES), expected, atol=1e-6)
    assert torch.allclose(network.train()(IMAGES), expected, atol=1e-6)


def test_training_gives_each_scale_and_their_pixelwise_maximum():
    network = make()
    whole, three_quarters, half, fused = network(IMAGES)
    assert [tuple(logits.shape[-2:]) for logits in (whole, three_quarters, half)] == [(9, 7), (7, 5), (5, 4)]
    alone = network.normalise(IMAGES)
    assert torch.allclose(half, network._logits(resize(alone, (32, 24))), atol=1e-6)
    candidates = [whole, resize(three_quarters, (9, 7)), resize(half, (9, 7))]
    assert torch.equal(fused, torch.maximum(torch.maximum(candidates[0], candidates[1]), candidates[2]))
    assert torch.allclose(network.eval()(IMAGES), fused, atol=1e-6), "no dropout, frozen batch norms"


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norms_are_frozen_as_published_or_learn(frozen):
    network = make(frozen_batch_norm=frozen)  # as Lightning takes it
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    means = [part.running_mean.clone() for part in norms]
    sum(logits.square().mean() for logits in network(IMAGES)).backward()
    assert all(torch.equal(a, b.running_mean) for a, b in zip(means, norms, strict=True)) is frozen
    assert {part.weight.grad is None for part in norms} == {frozen}
    assert {part.training for part in network.eval().train().modules() if isinstance(part, nn.BatchNorm2d)} == {
        not frozen
    }


def test_groups_are_convolutions_classifiers_and_their_biases(of_shapes):
    groups = of_shapes.parameter_groups(2.5e-4, 10)
    assert [group["lr"] for group in groups] == pytest.approx([2.5e-4, 2.5e-3, 5e-3])
    assert [group.get("weight_decay") for group in groups] == [None, None, 0.0]
    convolutions = [part.weight for part in of_shapes.encoder.modules() if isinstance(part, nn.Conv2d)]
    assert {id(p) for p in groups[0]["params"]} == {id(p) for p in convolutions}
    assert [len(group["params"]) for group in groups[1:]] == [4, 4]


def test_an_encoder_that_is_no_resnet_keeps_its_own_dilations():
    with pytest.raises(ValueError, match="first_dilations"):
        DeepLabV2(4, "test_efficientnet")
    with pytest.raises(ValueError, match=r"ceil_mode: .*no max pool; set it to false"):
        DeepLabV2(4, "test_efficientnet", first_dilations=None)
    network = DeepLabV2(4, "test_efficientnet", first_dilations=None, ceil_mode=False)
    assert network.eval()(IMAGES).shape == (2, 4, 8, 6)


def test_caffes_layout_normalises_as_its_weights_want_and_has_none_of_timms_hub():
    with torch.device("cpu"):
        network = DeepLabV2(4, "resnet50", encoder_options={"layers": [1, 1, 1, 1]}, layout="caffe").eval()
    grey = torch.tensor([123, 117, 104], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = torch.tensor([123 - 122.675, 117 - 116.669, 104 - 104.008])
    assert torch.allclose(network.normalise(grey).flatten(), expected, atol=1e-4)
    assert network.encoder.features.layer2[0].conv1.stride == (2, 2)
    sides = [logits.shape[-2:] for logits in network.train()(torch.zeros(1, 3, 321, 321, dtype=torch.uint8))]
    assert sides == [(n, n) for n in (41, 31, 21, 41)]
    with pytest.raises(ValueError, match="layout: timm's hub has no weights of Caffe's"):
        DeepLabV2(4, "resnet50", pretrained=True, layout="caffe")
    with pytest.raises(ValueError, match="layout: one of torchvision, caffe, not 'tf'"):
        DeepLabV2(4, "resnet50", layout="tf")
