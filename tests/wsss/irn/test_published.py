import pytest
import torch

from mars_pl.cli.main import main
from mars_pl.training.weights import load_weights
from mars_pl.wsss.irn.network import IRNetwork
from mars_pl.wsss.irn.published import published_weights
from tests.wsss.irn_files import irn_file


def test_a_published_checkpoint_fits_strictly():
    with torch.device("meta"):
        network = IRNetwork(21, "resnet50", dilated=False)
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    weights = published_weights(irn_file())
    assert {key: tuple(value.shape) for key, value in weights.items()} == wanted
    network.load_state_dict(weights, strict=True, assign=True)
    assert torch.equal(network.fc_edge6.bias, irn_file()["fc_edge6.bias"])


def test_the_command_turns_the_file_into_a_fit(tmp_path):
    torch.save(irn_file(), tmp_path / "res50_irn.pth")
    assert main(["weights", "import", "irn", str(tmp_path / "res50_irn.pth"), str(tmp_path / "fit")]) == 0
    with torch.device("meta"):
        network = IRNetwork(21, "resnet50", dilated=False)
    network.to_empty(device="cpu")
    load_weights(network, tmp_path / "fit/weights.safetensors")
    assert torch.equal(network.fc_dp7[3].weight, irn_file()["fc_dp7.3.weight"])


def test_the_backbone_of_the_file_wins_over_its_aliases():
    state = irn_file()
    assert torch.equal(published_weights(state)["backbone.conv1.weight"], state["resnet50.conv1.weight"])
    assert not [key for key in published_weights(state) if key.startswith(("resnet50", "backbone.0", "stage", "path"))]


def test_other_weights_are_refused():
    with pytest.raises(ValueError, match=r"not the weights of an IRN: no key begins with fc_edge \(first: \['conv1"):
        published_weights({"conv1.weight": torch.zeros(1), "fc.weight": torch.zeros(1)})
