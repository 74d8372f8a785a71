import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mars_pl.networks.wide_resnet38 import BottleneckBlock, WideBlock, WideResNet38
from tests.networks.published.wide_resnet38 import BATCH_NORMS, CONVOLUTIONS, publish, published_shapes


def of_shapes(**options) -> WideResNet38:
    """The network without the half gigabyte of its weights."""
    with torch.device("meta"):
        return WideResNet38(**options)


def test_names_and_shapes_are_the_published_ones():
    ours = {key: tuple(value.shape) for key, value in of_shapes().state_dict().items()}
    counters = {f"{name}.num_batches_tracked": () for name in BATCH_NORMS}
    assert ours == published_shapes() | counters


@pytest.mark.filterwarnings("ignore:for .*copying from a non-meta")
def test_published_weights_load_strictly(monkeypatch):
    published = publish(monkeypatch)
    of_shapes(weights="published.safetensors")
    del published["b5.conv_branch1.weight"]
    with pytest.raises(ValueError, match=r"published.safetensors.*1 keys missing.*b5\.conv_branch1"):
        of_shapes(weights="published.safetensors")


def test_intermediate_features_have_their_channels_at_an_eighth():
    network = of_shapes()
    intermediate = network(torch.zeros(1, 3, 60, 97, device="meta"))
    assert [tuple(maps.shape) for maps in intermediate] == [(1, 512, 8, 13), (1, 1024, 8, 13), (1, 4096, 8, 13)]
    assert network.channels == (512, 1024, 4096) and network.stride == 8


def test_strides_dilations_and_dropout_are_the_published_ones():
    network = of_shapes()
    convolutions = {name: part for name, part in network.named_modules() if isinstance(part, nn.Conv2d)}
    strided = {name for name, part in convolutions.items() if part.stride == (2, 2)}
    assert strided == {f"{block}.{conv}" for block in ("b2", "b3", "b4") for conv in ("conv_branch1", "conv_branch2a")}
    dilated = {name: part.dilation[0] for name, part in convolutions.items() if part.dilation != (1, 1)}
    assert dilated == {
        "b5.conv_branch2b1": 2,
        "b5_1.conv_branch2a": 2,
        "b5_1.conv_branch2b1": 2,
        "b5_2.conv_branch2a": 2,
        "b5_2.conv_branch2b1": 2,
        "b6.conv_branch2b1": 4,
        "b7.conv_branch2b1": 4,
    }
    assert (network.b6.dropout.p, network.b7.dropout.p) == (0.3, 0.5)


def norm(features, part):
    mean, variance = part.running_mean[None, :, None, None], part.running_var[None, :, None, None]
    scale, shift = part.weight[None, :, None, None], part.bias[None, :, None, None]
    return torch.relu((features - mean) / (variance + part.eps).sqrt() * scale + shift)


def lively(block):
    """In evaluation, with batch norms that change what they are given."""
    torch.manual_seed(0)
    for part in block.modules():
        if isinstance(part, nn.BatchNorm2d):
            for value in (part.weight.data, part.running_var):
                value.uniform_(0.5, 2)
            for value in (part.bias.data, part.running_mean):
                value.normal_()
    return block.double().eval()


@pytest.mark.parametrize(("inputs", "outputs", "stride"), [(3, 4, 2), (4, 4, 1)])
def test_wide_block_by_its_formula(inputs, outputs, stride):
    block = lively(WideBlock(inputs, 5, outputs, stride=stride, dilation=2, first_dilation=1))
    features = torch.randn(1, inputs, 9, 8, dtype=torch.float64)
    active = norm(features, block.bn_branch2a)
    residual = F.conv2d(active, block.conv_branch2a.weight, stride=stride, padding=1)
    residual = norm(residual, block.bn_branch2b1)
    residual = F.conv2d(residual, block.conv_branch2b1.weight, padding=2, dilation=2)
    shortcut = features if inputs == outputs else F.conv2d(active, block.conv_branch1.weight, stride=stride)
    output, intermediate = block(features)
    assert torch.allclose(output, shortcut + residual) and torch.allclose(intermediate, active)


def test_bottleneck_block_by_its_formula():
    block = lively(BottleneckBlock(4, 8, dilation=4, dropout=0.5))
    features = torch.randn(1, 4, 9, 8, dtype=torch.float64)
    active = norm(features, block.bn_branch2a)
    residual = norm(F.conv2d(active, block.conv_branch2a.weight), block.bn_branch2b1)
    residual = norm(F.conv2d(residual, block.conv_branch2b1.weight, padding=4, dilation=4), block.bn_branch2b2)
    expected = F.conv2d(active, block.conv_branch1.weight) + F.conv2d(residual, block.conv_branch2b2.weight)
    output, intermediate = block(features)
    assert torch.allclose(output, expected) and torch.allclose(intermediate, active)
    assert not torch.allclose(block.train()(features)[0], expected), "dropout acts while training"


def test_what_is_frozen_by_default_and_what_on_request():
    def learning(network):
        return {name for name, parameter in network.named_parameters() if parameter.requires_grad}

    front = ("conv1a.", "b2.", "b2_1.", "b2_2.")
    convolutions = {f"{name}.weight" for name in CONVOLUTIONS}
    assert learning(of_shapes()) == {name for name in convolutions if not name.startswith(front)}
    everything = of_shapes(frozen_front=False, frozen_batch_norm=False)
    assert learning(everything) == {name for name, _ in everything.named_parameters()}


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norms_stand_still_where_frozen_and_have_their_momentum(frozen):
    network = of_shapes(frozen_batch_norm=frozen, batch_norm_momentum=3e-4)  # as Lightning takes it
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    assert {part.training for part in norms} == {not frozen} and {part.momentum for part in norms} == {3e-4}
    assert {part.training for part in network.eval().train().modules() if isinstance(part, nn.BatchNorm2d)} == {
        not frozen
    }
    assert network.b7.dropout.training
