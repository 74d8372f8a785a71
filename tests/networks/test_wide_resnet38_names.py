import pytest

from mars_pl.networks.wide_resnet38_names import our_name
from tests.networks.published.wide_resnet38 import published_shapes

PARTS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_var"}


def their_name(key):
    """The name in ilsvrc-cls_rna-a1_cls1000_ep-0001.params, as `convert_mxnet_to_torch` of SEAM takes it apart."""
    layer, _, part = key.rpartition(".")
    if layer in ("conv1a", "bn7"):
        kind, name = layer[:2], layer
    else:
        block, _, rest = layer.partition(".")
        kind, branch = rest.split("_", 1)
        stage, _, place = block[1:].partition("_")
        name = f"{'res' if kind == 'conv' else 'bn'}{stage}{'b' + place if place else 'a'}_{branch}"
    part = part if kind.startswith("co") else PARTS[part]
    return f"{'aux' if part.startswith('moving') else 'arg'}:{name}_{part}"


def test_every_published_tensor_by_its_name():
    for key in published_shapes():
        assert our_name(their_name(key)) == key


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("arg:conv1a_weight", "conv1a.weight"),
        ("arg:res4b5_branch2b1_weight", "b4_5.conv_branch2b1.weight"),
        ("arg:bn2a_branch2a_gamma", "b2.bn_branch2a.weight"),
        ("aux:bn6a_branch2b2_moving_var", "b6.bn_branch2b2.running_var"),
        ("arg:bn7_beta", "bn7.bias"),
        ("arg:linear1000_weight", None),
    ],
)
def test_names_by_hand(theirs, ours):
    assert our_name(theirs) == ours


@pytest.mark.parametrize("name", ["arg:fc1_weight", "arg:res4b5_branch2b1_scale", "arg:bn7_scale", "conv1_weight"])
def test_another_networks_names_are_refused(name):
    with pytest.raises(ValueError, match="no tensor of Wide ResNet-38"):
        our_name(name)
