import pytest
import torch

from mars_pl.networks.wide_resnet38 import WideResNet38
from mars_pl.wsss.seam.network import SEAM
from mars_pl.wsss.seam.published import published_weights
from tests.networks.published.wide_resnet38 import published_shapes

# What torch.save(model.module.state_dict()) in YudeWang/SEAM, train_SEAM.py leaves of network/resnet38_SEAM.py.
HEADS = {
    "fc8.weight": (21, 4096, 1, 1),
    "f8_3.weight": (64, 512, 1, 1),
    "f8_4.weight": (128, 1024, 1, 1),
    "f9.weight": (192, 195, 1, 1),
}


def published():
    return {key: torch.zeros(()).expand(shape) for key, shape in (published_shapes() | HEADS).items()}


def test_a_published_checkpoint_fits_the_network():
    with torch.device("meta"):
        network = SEAM(21, WideResNet38())
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in published_weights(published()).items()}
    assert found == {key: shape for key, shape in wanted.items() if not key.endswith("num_batches_tracked")}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("fc8.weight", "classifier.weight"),
        ("f8_3.weight", "pixel_correlation.shallow.weight"),
        ("f8_4.weight", "pixel_correlation.deep.weight"),
        ("f9.weight", "pixel_correlation.embed.weight"),
        ("b4_5.bn_branch2b1.running_var", "backbone.b4_5.bn_branch2b1.running_var"),
    ],
)
def test_each_tensor_goes_to_its_layer(theirs, ours):
    state = published() | {theirs: torch.ones(1)}
    assert published_weights(state)[ours] is state[theirs]


def test_counters_of_batches_may_be_there():
    state = published() | {"bn7.num_batches_tracked": torch.tensor(3)}
    assert published_weights(state)["backbone.bn7.num_batches_tracked"] == 3


def test_other_weights_are_refused():
    state = published()
    del state["f9.weight"]
    with pytest.raises(ValueError, match=r"not the weights of SEAM: 1 tensors missing \(first: \['f9\.weight'\]\), 0"):
        published_weights(state)
    with pytest.raises(ValueError, match=r"1 too many \(first: \['conv9\.weight'\]\)"):
        published_weights(published() | {"conv9.weight": torch.zeros(1)})
