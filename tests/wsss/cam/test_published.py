import pytest
import torch

from mars_pl.cli.main import main
from mars_pl.training.weights import load_weights
from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.cam.published import published_weights
from tests.wsss.irn_files import cam_file


def test_a_published_checkpoint_fits_strictly():
    with torch.device("meta"):
        network = CAMClassifier(21, "resnet50", dilated=False)
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    state = cam_file()
    weights = published_weights(state)
    assert {key: tuple(value.shape) for key, value in weights.items()} == wanted
    assert torch.equal(weights["backbone.layer4.2.conv3.weight"], state["resnet50.layer4.2.conv3.weight"])
    assert torch.equal(weights["classifier.weight"], state["classifier.weight"])


def test_the_command_turns_the_file_into_a_fit(tmp_path):
    small = {"blocks": (2, 2, 2, 2), "widths": (8, 12, 16, 24)}
    torch.save(cam_file(**small), tmp_path / "res50_cam.pth")
    assert main(["weights", "import", "cam", str(tmp_path / "res50_cam.pth"), str(tmp_path / "fit")]) == 0
    network = CAMClassifier(21, "resnet26", dilated=False, backbone_options={"channels": small["widths"]})
    load_weights(network, tmp_path / "fit/weights.safetensors")
    assert torch.equal(network.classifier.weight, cam_file(**small)["newly_added.0.weight"])


@pytest.mark.parametrize("lacking", ["resnet50.", "classifier."])
def test_other_weights_are_refused_in_one_line(lacking):
    state = {key: value for key, value in cam_file(blocks=(1, 1, 1, 1)).items() if not key.startswith(lacking)}
    with pytest.raises(
        ValueError, match=r"no weights of a CAM classifier: wants classifier\.weight and .*first: "
    ) as error:
        published_weights(state)
    assert "\n" not in str(error.value)
