import pytest
import torch
import torchvision
from torch import nn

from mars_pl.wsss.rsepm.network import SingleStageNetwork

IMAGES = torch.randint(0, 256, (2, 3, 64, 80), dtype=torch.uint8)


@pytest.mark.parametrize(("stride", "size"), [(8, (8, 10)), (16, (4, 5))])
def test_shapes(make_network, stride, size):
    output = make_network(output_stride=stride)(IMAGES)
    assert output.features.shape[-2:] == size
    assert output.class_maps.shape == (2, 3, *size)
    assert output.class_logits.shape == (2, 3)
    assert output.segmentation_logits.shape == (2, 4, 16, 20)


def test_class_logits_are_the_mean_of_the_maps_that_the_features_draw(make_network):
    network = make_network().eval()
    output = network(IMAGES)
    weight = network.classifier.weight[:, :, 0, 0]
    maps = torch.einsum("cd,bdhw->bchw", weight, output.features)
    assert torch.allclose(output.class_maps, maps, atol=1e-5)
    assert torch.allclose(output.class_logits, maps.flatten(2).mean(2), atol=1e-5)


def test_the_last_stage_keeps_stride_one_without_dilation():
    torch.manual_seed(0)
    theirs = torchvision.models.resnet50().eval()
    theirs.layer4[0].conv2.stride = theirs.layer4[0].downsample[0].stride = (1, 1)
    network = SingleStageNetwork(3, "resnet50", channels=4, low_level_channels=4).eval()
    state = {key: value for key, value in theirs.state_dict().items() if not key.startswith("fc.")}
    network.encoder.features.load_state_dict(state)
    image = network.normalise(IMAGES[:1])
    with torch.no_grad():
        stem = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(image))))
        low_level = theirs.layer1(stem)
        last = theirs.layer4(theirs.layer3(theirs.layer2(low_level)))
        ours = network.encoder(image)
    assert torch.allclose(ours[0], low_level, atol=1e-4)
    assert torch.allclose(ours[1], last, atol=1e-4)
    dilations = [rate.dilation[0] for branch in network.aspp.branches for rate in branch if isinstance(rate, nn.Conv2d)]
    assert dilations == [1, 6, 12, 18]


def test_timms_dilation_can_be_kept(make_network):
    dilated = {layer.dilation for layer in make_network(dilated=True).encoder.modules() if isinstance(layer, nn.Conv2d)}
    assert dilated == {(1, 1), (2, 2)}


def test_context_comes_before_the_low_level_map(make_network):
    network = make_network().eval()
    with torch.no_grad():
        network.decoder[0][0].weight[:, 8:] = 0  # of 8 + 4
        before = network(IMAGES).segmentation_logits
        network.low_level[0].weight.mul_(3)
        assert torch.equal(network(IMAGES).segmentation_logits, before)
        network.decoder[0][0].weight[:, :8] = 0
        assert not torch.equal(network(IMAGES).segmentation_logits, before)


def test_all_batch_norms_train(make_network):
    network = make_network()
    assert all(layer.training for layer in network.modules() if isinstance(layer, nn.BatchNorm2d))
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_parameter_groups_hold_each_trainable_parameter_once(make_network):
    network = make_network(frozen_stages=1)
    groups = network.parameter_groups(0.1, 10)
    assert [group["lr"] for group in groups] == [0.1, 1.0]
    inside = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(inside) == sorted(id(p) for p in network.parameters() if p.requires_grad)


def test_another_stride_is_refused(make_network):
    with pytest.raises(ValueError, match="output_stride"):
        make_network(output_stride=32)
