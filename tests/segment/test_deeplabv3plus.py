import pytest
import timm
import torch
from safetensors.torch import save_file

from mars_pl.networks.aspp import ASPP
from mars_pl.segment.deeplabv3plus import DeepLabV3Plus


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("size", [(64, 64), (33, 50)])
def test_logits_have_a_quarter_of_any_size(make_network, stride, size):
    network = make_network(num_classes=5, output_stride=stride)
    logits = network(torch.zeros(2, 3, *size, dtype=torch.uint8))
    assert logits.shape == (2, 5, -(-size[0] // 4), -(-size[1] // 4))


def test_rates_and_dropouts_are_the_authors(make_network):
    for stride, rates in ((8, [12, 24, 36]), (16, [6, 12, 18])):
        network = make_network(output_stride=stride)
        assert [branch[0].dilation[0] for branch in network.aspp.branches[1:]] == rates
    assert network.aspp.project[1].p == 0.5
    assert [module.p for module in network.decoder if isinstance(module, torch.nn.Dropout)] == [0.5, 0.1]
    assert network.decoder[-1].bias is None
    assert network.decoder[-1].kernel_size == (1, 1)


def test_image_pooling_reaches_every_pixel():
    torch.manual_seed(0)
    aspp = ASPP(2, 4, (1,), dropout=0.0).eval()
    image = torch.randn(1, 2, 9, 9)
    changed = image.clone()
    changed[..., 8, 8] += 50
    assert not torch.equal(aspp(image)[..., 0, 0], aspp(changed)[..., 0, 0])


def test_another_stride_is_refused(make_network):
    with pytest.raises(ValueError, match="output_stride"):
        make_network(output_stride=32)


def test_parameter_groups_hold_each_trainable_parameter_once(make_network):
    network = make_network(frozen_stages=1)
    groups = network.parameter_groups(0.1, 10)
    assert [group["lr"] for group in groups] == [0.1, 1.0]
    inside = [id(parameter) for group in groups for parameter in group["params"]]
    trainable = [id(parameter) for parameter in network.parameters() if parameter.requires_grad]
    assert sorted(inside) == sorted(trainable)


def test_frozen_stages_neither_learn_nor_count_statistics(make_network):
    network = make_network(frozen_stages=2)  # as Lightning takes it
    features = network.encoder.features
    before = {key: value.clone() for key, value in features.state_dict().items()}
    network(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)).square().mean().backward()
    for name, parameter in features.named_parameters():
        frozen = name.split(".")[0] in ("conv1", "bn1", "layer1", "layer2")
        assert (parameter.grad is None) == frozen, name
    moved = {key for key, value in features.state_dict().items() if not torch.equal(value, before[key])}
    assert moved
    assert all(key.startswith(("layer3", "layer4")) for key in moved)


def test_all_four_stages_can_be_frozen_and_not_five(make_network):
    assert not any(parameter.requires_grad for parameter in make_network(frozen_stages=4).encoder.parameters())
    assert len(make_network(frozen_stages=4).parameter_groups(0.1)) == 1
    with pytest.raises(ValueError, match="has 4 stages"):
        make_network(frozen_stages=5)


def test_frozen_stages_of_an_encoder_whose_stages_timm_flattens():
    network = DeepLabV3Plus(3, "test_convnext", 16, frozen_stages=1, aspp_channels=8, decoder_channels=8)
    frozen = {name.split(".")[1] for name, p in network.encoder.named_parameters() if not p.requires_grad}
    assert frozen == {"stem_0", "stem_1", "stages_0"}


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_convnext"])
def test_weights_of_the_whole_timm_model_reach_the_encoder(tmp_path, name):
    torch.manual_seed(1)
    classifier = timm.create_model(name)
    save_file(classifier.state_dict(), tmp_path / "w.safetensors")
    network = DeepLabV3Plus(3, name, 16, weights=str(tmp_path / "w.safetensors")).eval()
    image = torch.rand(1, 3, 64, 64)
    whole = timm.create_model(name, features_only=True, output_stride=16).eval()
    assert len(whole(image)) >= 2
    theirs = {key.replace("_", ".", 1): value for key, value in network.encoder.features.state_dict().items()}
    for key, value in classifier.state_dict().items():
        if key.startswith(("layer", "blocks", "stages", "conv1")):
            ours = network.encoder.features.state_dict().get(key, theirs.get(key))
            assert torch.equal(ours, value), key


def test_weights_of_another_model_are_refused(tmp_path):
    save_file({"conv1.weight": torch.zeros(3)}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"w\.safetensors: not the weights"):
        DeepLabV3Plus(3, "test_resnet", weights=str(tmp_path / "w.safetensors"))


def test_normalises_with_the_encoders_statistics(make_network):
    assert make_network().normalise.mean.flatten().tolist() == [127.5] * 3  # timm's test networks have mean .5
    assert make_network(mean=(0.0, 0.0, 0.0)).normalise.mean.flatten().tolist() == [0.0] * 3


@pytest.mark.parametrize(("side", "cells", "context"), [(321, 81, 41), (448, 112, 56), (513, 129, 65)])
def test_sides_of_the_published_network(side, cells, context):
    with torch.device("meta"):
        network = DeepLabV3Plus(21, "resnet101", first_dilations=(1, 1))
    image = torch.zeros(2, 3, side, side, dtype=torch.uint8, device="meta")
    assert network.encoder(network.normalise(image))[1].shape == (2, 2048, context, context)
    assert network(image).shape == (2, 21, cells, cells)


def test_dilations_are_those_of_rsepm_and_dhr():
    with torch.device("meta"):
        features = DeepLabV3Plus(21, "resnet101", first_dilations=(1, 1)).encoder.features
    assert [block.conv2.dilation[0] for block in features["layer3"]] == [1] + [2] * 22
    assert [block.conv2.dilation[0] for block in features["layer4"]] == [1, 4, 4]
