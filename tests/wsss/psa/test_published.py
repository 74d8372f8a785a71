import pytest
import torch

from mars_pl.networks.wide_resnet38 import WideResNet38
from mars_pl.wsss.psa.affinity_net import AffinityNet
from mars_pl.wsss.psa.published import published_weights
from tests.networks.published.wide_resnet38 import published_shapes

# What torch.save(model.module.state_dict()) in jiwoon-ahn/psa leaves of network/resnet38_aff.py and resnet38_cls.py.
AFFINITY = {
    "f8_3.weight": (64, 512, 1, 1),
    "f8_4.weight": (128, 1024, 1, 1),
    "f8_5.weight": (256, 4096, 1, 1),
    "f9.weight": (448, 448, 1, 1),
}
CLASSIFIER = {"fc8.weight": (20, 4096, 1, 1)}


def published(heads):
    return {key: torch.zeros(()).expand(shape) for key, shape in (published_shapes() | heads).items()}


def shapes(state):
    return {key: tuple(value.shape) for key, value in state.items() if not key.endswith("num_batches_tracked")}


def test_a_published_affinity_net_fits_ours():
    with torch.device("meta"):
        network = AffinityNet(WideResNet38())
    assert shapes(published_weights(published(AFFINITY))) == shapes(network.state_dict())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("f8_3", "narrow.0"), ("f8_4", "narrow.1"), ("f8_5", "narrow.2"), ("f9", "merge"), ("conv1a", "backbone.conv1a")],
)
def test_each_tensor_goes_to_its_layer(theirs, ours):
    state = published(AFFINITY) | {f"{theirs}.weight": torch.ones(1)}
    assert published_weights(state)[f"{ours}.weight"] is state[f"{theirs}.weight"]


def test_the_published_classifier_holds_a_backbone_that_an_affinity_net_starts_from():
    with torch.device("meta"):
        backbone = WideResNet38()
    weights = shapes(published_weights(published(CLASSIFIER)))
    assert weights.pop("classifier.weight") == (20, 4096, 1, 1)
    assert weights == {f"backbone.{key}": shape for key, shape in shapes(backbone.state_dict()).items()}


def test_other_weights_are_refused():
    with pytest.raises(ValueError, match=r"not the weights of PSA: \d+ tensors missing .*, 1 too many \(first: \['a'"):
        published_weights({"a": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"1 tensors missing \(first: \['f8_5\.weight'\]\)"):
        published_weights({key: value for key, value in published(AFFINITY).items() if key != "f8_5.weight"})
