import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.networks.wide_resnet38 import WideResNet38
from mars_pl.segment.deeplabv1 import DeepLabV1
from tests.networks.published.wide_resnet38 import publish

LEARNS = {"frozen_front": False, "frozen_batch_norm": False, "batch_norm_momentum": 3e-4}


def of_shapes(**options):
    """The published network without its half gigabyte of weights."""
    with torch.device("meta"):
        return DeepLabV1(21, WideResNet38(**LEARNS, **options))


def make():
    torch.manual_seed(0)
    return DeepLabV1(4, TimmIntermediateFeatures("test_resnet", frozen_batch_norm=False), channels=8)


@pytest.mark.parametrize(("side", "cells"), [(321, 41), (448, 56), (513, 65)])
def test_sides_of_the_published_network(side, cells):
    network = of_shapes()
    image = torch.zeros(1, 3, side, side, dtype=torch.uint8, device="meta")
    assert network.head(network.backbone(network.normalise(image))[2]).shape == (1, 21, cells, cells)
    assert network(image).shape == (1, 21, side, side)


def test_head_is_the_published_one():
    fov, second, dropout, classifier = make().head
    assert (fov[0].kernel_size, fov[0].dilation, fov[0].bias) == ((3, 3), (12, 12), None)
    assert (second[0].kernel_size, second[0].bias) == ((1, 1), None)
    assert (dropout.p, classifier.kernel_size) == (0.5, (1, 1)) and classifier.bias is not None
    assert of_shapes().head[0][0].weight.shape == (512, 4096, 3, 3)
    assert {part.momentum for part in of_shapes().modules() if isinstance(part, nn.BatchNorm2d)} == {3e-4}


@pytest.mark.filterwarnings("ignore:for .*copying from a non-meta")
def test_published_weights_load_strictly(monkeypatch):
    published = publish(monkeypatch)
    of_shapes(weights="published.safetensors")
    published["fc.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"1 too many.*fc\.weight"):
        of_shapes(weights="published.safetensors")


def test_logits_are_enlarged_with_aligned_corners_in_float32():
    network = make().eval()
    image = torch.randint(0, 256, (2, 3, 33, 50), dtype=torch.uint8)
    small = network.head(network.backbone(network.normalise(image))[2])
    logits = network(image)
    assert torch.equal(logits, F.interpolate(small, (33, 50), mode="bilinear", align_corners=True))
    assert torch.equal(logits[..., 0, 0], small[..., 0, 0]) and torch.equal(logits[..., -1, -1], small[..., -1, -1])
    with torch.autocast("cpu", torch.bfloat16):
        assert network(image).dtype == torch.float32


def test_groups_are_convolutions_and_biases():
    network = of_shapes()
    groups = network.parameter_groups(1e-3, 10)
    assert [group["lr"] for group in groups] == pytest.approx([1e-3, 1e-2, 2e-2])  # Wide ResNet-38 has no bias
    assert [group.get("weight_decay") for group in groups] == [None, None, 0.0]
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    backbone, head, biases = ([names[id(p)] for p in group["params"]] for group in groups)
    convolutions = {f"{name}.weight" for name, part in network.named_modules() if isinstance(part, nn.Conv2d)}
    assert set(backbone) | set(head) == convolutions and all(name.startswith("backbone.") for name in backbone)
    assert head == ["head.0.0.weight", "head.1.0.weight", "head.3.weight"] and biases == ["head.3.bias"]


def test_statistics_move_while_scales_and_shifts_stay():
    network = make()
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    means = [part.running_mean.clone() for part in norms]
    network(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)).square().mean().backward()
    assert all(not torch.equal(mean, part.running_mean) for mean, part in zip(means, norms, strict=True))
    assert all(part.weight.grad is None and part.bias.grad is None for part in norms)
