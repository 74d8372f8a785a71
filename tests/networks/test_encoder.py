import pytest
import torch

from mars_pl.networks.encoder import Encoder
from mars_pl.training import weights
from tests.networks.published.resnet import published_shapes

NETWORKS = pytest.mark.parametrize(("name", "tensors"), [("resnet50", 267), ("resnet101", 522)])


@pytest.fixture
def published(monkeypatch):
    """Files of the published names and shapes, without the hundreds of megabytes that they weigh."""

    def write(name):
        state = {key: torch.zeros(()).expand(shape) for key, shape in published_shapes(name).items()}
        monkeypatch.setattr(weights, "find_weights", lambda path: path)
        monkeypatch.setattr(weights, "load_file", lambda path: dict(state))
        return state

    return write


@NETWORKS
@pytest.mark.filterwarnings("ignore:for .*copying from a non-meta")
def test_torchvisions_weights_load_strictly(published, name, tensors):
    state = published(name)
    assert len(state) == tensors
    with torch.device("meta"):
        encoder = Encoder(name, 8, weights="published.safetensors")
        loaded = {key: tuple(value.shape) for key, value in encoder.features.state_dict().items()}
        loaded = {key: shape for key, shape in loaded.items() if not key.endswith("num_batches_tracked")}
        assert loaded == {key: tuple(value.shape) for key, value in state.items() if not key.startswith("fc.")}
        del state["layer3.0.bn2.running_var"]
        with pytest.raises(ValueError, match=r"published.safetensors.*1 keys missing.*layer3\.0\.bn2\.running_var"):
            Encoder(name, 8, weights="published.safetensors")


@NETWORKS
@pytest.mark.filterwarnings("ignore:for .*copying from a non-meta")
def test_another_shape_is_refused(published, name, tensors):
    state = published(name)
    state["conv1.weight"] = torch.zeros(()).expand(64, 3, 3, 3)
    with torch.device("meta"), pytest.raises(ValueError, match=r"conv1\.weight has shape \(64, 3, 3, 3\)"):
        Encoder(name, 8, weights="published.safetensors")
