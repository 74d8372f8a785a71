import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mars_pl.networks.freezing import BATCH_NORMS
from mars_pl.networks.sync_batch_norm import SyncBatchNorms
from mars_pl.wsss.cam.classifier import CAMClassifier


def make(**options) -> CAMClassifier:
    torch.manual_seed(0)
    return CAMClassifier(4, "test_resnet", **options)


IMAGES = torch.randint(0, 256, (2, 3, 64, 80), dtype=torch.uint8)
ALL = torch.arange(3)


def test_logits_are_the_mean_of_the_unrectified_map():
    network = make().eval()
    logits = network(IMAGES)
    assert logits.shape == (2, 3)
    with torch.no_grad():
        maps = network.classifier(network.backbone.forward_features(network.normalise(IMAGES)))
    assert torch.allclose(logits, maps.mean((-2, -1)), atol=1e-5)
    assert torch.allclose(network.activation(IMAGES, ALL), maps.clamp(min=0), atol=1e-5)


def test_normalised_images_enter_where_images_do():
    network = make().eval()
    logits = network.classifier(network.features(network.normalise(IMAGES)))
    assert torch.equal(logits.clamp(min=0), network.activation(IMAGES, ALL))
    assert torch.allclose(logits.mean((-2, -1)), network(IMAGES), atol=1e-5)


def test_output_stride():
    assert make(output_stride=16).eval().activation(IMAGES, ALL).shape == (2, 3, 4, 5)
    assert make(output_stride=8).eval().activation(IMAGES, ALL).shape == (2, 3, 8, 10)


def test_dilation_is_taken_out_and_the_map_keeps_its_size():
    def dilations(network):
        return {part.dilation for part in network.backbone.modules() if isinstance(part, nn.Conv2d)}

    dilated, plain = make(output_stride=8), make(output_stride=8, dilated=False)
    assert (2, 2) in dilations(dilated) and dilations(plain) == {(1, 1)}
    assert plain.eval().activation(IMAGES, ALL).shape == (2, 3, 8, 10)


def test_frozen_prefixes_receive_no_gradient_and_a_misspelt_one_is_refused():
    network = make(frozen=["conv1", "layer1"])
    network(IMAGES).sum().backward()
    grads = {name: p.grad is not None for name, p in network.backbone.named_parameters()}
    assert not any(value for name, value in grads.items() if name.startswith(("conv1", "layer1")))
    assert all(value for name, value in grads.items() if name.startswith("layer4"))
    with pytest.raises(ValueError, match="layr1"):
        make(frozen=["layr1"])


@pytest.mark.parametrize("several_processes", [False, True])
@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_batch_norm_keeps_its_statistics(frozen, several_processes):
    network = make(frozen_batch_norm=frozen)  # as Lightning takes it: it does not call train()
    if several_processes:
        network = SyncBatchNorms().apply(network).train()

    def means():
        return [part.running_mean.clone() for part in network.backbone.modules() if isinstance(part, BATCH_NORMS)]

    before = means()
    network(IMAGES)
    assert before and all(torch.equal(a, b) for a, b in zip(before, means(), strict=True)) is frozen


def test_weights_of_the_whole_timm_model_are_taken(tmp_path):
    import timm

    torch.manual_seed(1)
    donor = timm.create_model("test_resnet")
    save_file(donor.state_dict(), tmp_path / "donor.safetensors")
    network = make(weights=str(tmp_path / "donor.safetensors"))
    assert torch.equal(network.backbone.conv1[0].weight, donor.conv1[0].weight)
