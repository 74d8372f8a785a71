from pathlib import Path

import pytest
import torch

from mars_pl.wsss.rsepm.network import SingleStageNetwork
from mars_pl.wsss.rsepm.published import PREFIXES, our_name
from tests.fakes.touch import Touch

FIXTURE = Path(__file__).with_name("published_single_stage.txt")


def published_shapes():
    lines = [line.split() for line in FIXTURE.read_text().splitlines() if not line.startswith("#")]
    return {key: () if shape == "scalar" else tuple(map(int, shape.split("×"))) for key, shape in lines}


def test_every_published_tensor_has_its_place_and_no_place_stays_empty():
    with torch.device("meta"):
        network = SingleStageNetwork(21, "resnet50")
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert {our_name(key): shape for key, shape in published_shapes().items()} == wanted


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("model.layer1.0.downsample.0.weight", "encoder.features.layer1.0.downsample.0.weight"),
        ("classifier.weight", "classifier.weight"),
        ("aspp.aspp1.conv.weight", "aspp.branches.0.0.weight"),
        ("aspp.aspp4.bn.running_var", "aspp.branches.3.1.running_var"),
        ("aspp.global_avg_pool.1.conv.weight", "aspp.pooling.1.0.weight"),
        ("aspp.block.0.bn.bias", "aspp.project.0.1.bias"),
        ("decoder.low_block.conv.weight", "low_level.0.weight"),
        ("decoder.classifier.2.bn.weight", "decoder.2.1.weight"),
        ("decoder.classifier.4.weight", "decoder.4.weight"),
        ("somebody.else", "somebody.else"),
    ],
)
def test_names(theirs, ours):
    assert our_name(theirs) == ours


def their_name(key):
    for theirs, ours in PREFIXES.items():
        if key.startswith(ours):
            parts = key.removeprefix(ours).split(".")
            if theirs != "model." and len(parts) > 1 and parts != ["4", "weight"]:
                parts[-2] = {"0": "conv", "1": "bn"}[parts[-2]]
            return theirs + ".".join(parts)
    return key


@pytest.fixture
def checkpoint(tmp_path, make_network):
    network = make_network(seed=1)
    path = tmp_path / "last.pth"
    torch.save({their_name(key): value for key, value in network.state_dict().items()}, path)
    return network, path


def test_a_checkpoint_loads(make_network, checkpoint):
    donor, path = checkpoint
    network = make_network(published=str(path))
    for key, value in network.state_dict().items():
        assert torch.equal(value, donor.state_dict()[key]), key


def test_a_checkpoint_of_other_classes_is_refused(make_network, checkpoint):
    with pytest.raises(ValueError, match=r"last\.pth: classifier\.weight has shape \(3, .* wants \(6, "):
        make_network(num_classes=7, published=str(checkpoint[1]))


def test_a_checkpoint_that_lacks_a_tensor_is_refused(make_network, checkpoint):
    state = torch.load(checkpoint[1])
    del state["decoder.classifier.4.weight"]
    torch.save(state, checkpoint[1])
    with pytest.raises(ValueError, match=r"1 keys missing \(first: \['decoder\.4\.weight'\]\)"):
        make_network(published=str(checkpoint[1]))


@pytest.mark.parametrize("content", [Touch("ran"), {"model": {"a": torch.zeros(1)}}, [torch.zeros(1)]])
def test_what_is_no_state_dict_is_refused_and_runs_nothing(make_network, tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    torch.save(content, "last.pth")
    with pytest.raises(ValueError, match=r"last\.pth: .*single-stage \.pth"):
        make_network(published="last.pth")
    assert not Path("ran").exists()


def test_what_is_no_torch_file_is_refused(make_network, tmp_path):
    (tmp_path / "last.pth").write_bytes(b"\x80\x02nothing")
    with pytest.raises(ValueError, match=r"last\.pth: no state dict of tensors"):
        make_network(published=str(tmp_path / "last.pth"))


def test_a_missing_file_is_named(make_network):
    with pytest.raises(ValueError, match=r"absent\.pth: no such weights"):
        make_network(published="absent.pth")
