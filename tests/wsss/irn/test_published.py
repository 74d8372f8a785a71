import pytest
import torch

from mars_pl.cli.main import main
from mars_pl.training.weights import load_weights
from mars_pl.wsss.irn.network import IRNetwork
from mars_pl.wsss.irn.published import published_weights

# What torch.save(model.state_dict()) in jiwoon-ahn/irn, step/train_irn.py leaves of net/resnet50_irn.py: the branches.
HEADS = {
    "fc_edge1.0.weight": (32, 64, 1, 1),
    "fc_edge2.0.weight": (32, 256, 1, 1),
    "fc_edge3.0.weight": (32, 512, 1, 1),
    "fc_edge4.0.weight": (32, 1024, 1, 1),
    "fc_edge5.0.weight": (32, 2048, 1, 1),
    **{f"fc_edge{level}.1.{name}": (32,) for level in range(1, 6) for name in ("weight", "bias")},
    "fc_edge6.weight": (1, 160, 1, 1),
    "fc_edge6.bias": (1,),
    "fc_dp1.0.weight": (64, 64, 1, 1),
    "fc_dp2.0.weight": (128, 256, 1, 1),
    "fc_dp3.0.weight": (256, 512, 1, 1),
    "fc_dp4.0.weight": (256, 1024, 1, 1),
    "fc_dp5.0.weight": (256, 2048, 1, 1),
    "fc_dp6.0.weight": (256, 768, 1, 1),
    "fc_dp7.0.weight": (256, 448, 1, 1),
    **{f"fc_dp1.1.{name}": (64,) for name in ("weight", "bias")},
    **{f"fc_dp2.1.{name}": (128,) for name in ("weight", "bias")},
    **{f"fc_dp{level}.1.{name}": (256,) for level in range(3, 8) for name in ("weight", "bias")},
    "fc_dp7.3.weight": (2, 256, 1, 1),
}
MEAN_SHIFT = {"fc_dp7.4.running_mean": (2,), "fc_dp7.4.running_var": (2,), "fc_dp7.4.num_batches_tracked": ()}
BLOCKS = {"layer1": (3, 64), "layer2": (4, 128), "layer3": (6, 256), "layer4": (3, 512)}


def batch_norm(prefix, channels):
    shapes = {f"{prefix}.{name}": (channels,) for name in ("weight", "bias", "running_mean", "running_var")}
    return shapes | {f"{prefix}.num_batches_tracked": ()}


def resnet50():
    """Names and shapes of net/resnet50.py: torchvision's resnet50-19c8e357.pth without its classifier."""
    shapes = {"conv1.weight": (64, 3, 7, 7), **batch_norm("bn1", 64)}
    inputs = 64
    for layer, (blocks, planes) in BLOCKS.items():
        for block in range(blocks):
            prefix, outputs = f"{layer}.{block}", 4 * planes
            shapes |= {f"{prefix}.conv1.weight": (planes, inputs, 1, 1), **batch_norm(f"{prefix}.bn1", planes)}
            shapes |= {f"{prefix}.conv2.weight": (planes, planes, 3, 3), **batch_norm(f"{prefix}.bn2", planes)}
            shapes |= {f"{prefix}.conv3.weight": (outputs, planes, 1, 1), **batch_norm(f"{prefix}.bn3", outputs)}
            if block == 0:
                shapes |= {f"{prefix}.downsample.0.weight": (outputs, inputs, 1, 1)}
                shapes |= batch_norm(f"{prefix}.downsample.1", outputs)
            inputs = outputs
    return shapes


def published():
    """The file: everything above, once more under the names of the stages and of the lists, and the path index."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    shapes = {f"resnet50.{key}": shape for key, shape in resnet50().items()} | HEADS | MEAN_SHIFT
    for key, shape in shapes.items():
        state[key] = torch.randn(shape, generator=generator) if shape else torch.zeros((), dtype=torch.long)
    again = {"stage1.0.weight": "resnet50.conv1.weight", "backbone.0.0.weight": "resnet50.conv1.weight"}
    again |= {"stage2.0.0.conv1.weight": "resnet50.layer1.0.conv1.weight", "edge_layers.5.bias": "fc_edge6.bias"}
    again |= {"dp_layers.6.3.weight": "fc_dp7.3.weight"}
    state |= {alias: state[key] for alias, key in again.items()}
    return state | {"path_indices0": torch.zeros(1), "ind_from": torch.zeros(1), "ind_to": torch.zeros(1)}


def test_a_published_checkpoint_fits_strictly():
    with torch.device("meta"):
        network = IRNetwork(21, "resnet50", dilated=False)
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    weights = published_weights(published())
    assert {key: tuple(value.shape) for key, value in weights.items()} == wanted
    network.load_state_dict(weights, strict=True, assign=True)
    assert torch.equal(network.fc_edge6.bias, published()["fc_edge6.bias"])


def test_the_command_turns_the_file_into_a_fit(tmp_path):
    torch.save(published(), tmp_path / "res50_irn.pth")
    assert main(["weights", "import", "irn", str(tmp_path / "res50_irn.pth"), str(tmp_path / "fit")]) == 0
    with torch.device("meta"):
        network = IRNetwork(21, "resnet50", dilated=False)
    network.to_empty(device="cpu")
    load_weights(network, tmp_path / "fit/weights.safetensors")
    assert torch.equal(network.fc_dp7[3].weight, published()["fc_dp7.3.weight"])


def test_the_backbone_of_the_file_wins_over_its_aliases():
    state = published()
    assert torch.equal(published_weights(state)["backbone.conv1.weight"], state["resnet50.conv1.weight"])
    assert not [key for key in published_weights(state) if key.startswith(("resnet50", "backbone.0", "stage", "path"))]


def test_other_weights_are_refused():
    with pytest.raises(ValueError, match=r"not the weights of an IRN: no key begins with fc_edge \(first: \['conv1"):
        published_weights({"conv1.weight": torch.zeros(1), "fc.weight": torch.zeros(1)})
