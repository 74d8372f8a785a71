import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from mars_pl.networks.intermediate_features import TimmIntermediateFeatures

IMAGES = torch.randn(2, 3, 60, 97)


def make(**options) -> TimmIntermediateFeatures:
    torch.manual_seed(0)
    return TimmIntermediateFeatures("test_resnet", **options)


def test_intermediate_features_are_the_last_three_stages_on_one_grid():
    network = make().eval()
    intermediate = network(IMAGES)
    assert [tuple(maps.shape) for maps in intermediate] == [(2, channels, 8, 13) for channels in network.channels]
    reference = timm.create_model("test_resnet", output_stride=8, features_only=True, out_indices=(2, 3, 4)).eval()
    reference.load_state_dict(network.model.state_dict())
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(intermediate, reference(IMAGES), strict=True))


def test_several_strides_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"test_resnet.*\[8, 16, 16\]; set output_stride to 8"):
        make(output_stride=16)


def test_weights_of_the_whole_timm_model_are_taken(tmp_path):
    torch.manual_seed(1)
    donor = timm.create_model("test_resnet")
    save_file(donor.state_dict(), tmp_path / "donor.safetensors")
    network = make(weights=str(tmp_path / "donor.safetensors"))
    assert torch.equal(network.model.layer4[0].conv1.weight, donor.layer4[0].conv1.weight)


def test_every_parameter_is_read():
    network = make(frozen_batch_norm=False)
    sum(maps.sum() for maps in network(IMAGES)).backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


def test_frozen_prefixes_receive_no_gradient_and_a_misspelt_one_is_refused():
    network = make(frozen=["conv1", "layer1"], frozen_batch_norm=False)
    still = {name for name, parameter in network.model.named_parameters() if not parameter.requires_grad}
    assert still and all(name.startswith(("conv1", "layer1")) for name in still)
    with pytest.raises(ValueError, match="layr1"):
        make(frozen=["layr1"])


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_batch_norms_keep_statistics_scales_and_shifts(frozen):
    network = make(frozen_batch_norm=frozen)  # as Lightning takes it: it does not call train()
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    before = [part.running_mean.clone() for part in norms]
    network(IMAGES)
    assert all(torch.equal(a, b.running_mean) for a, b in zip(before, norms, strict=True)) is frozen
    assert {part.weight.requires_grad for part in norms} == {not frozen}
