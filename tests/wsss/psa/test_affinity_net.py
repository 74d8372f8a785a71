import math

import pytest
import torch
from torch import nn

from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.training.weights import save_weights
from mars_pl.wsss.propagation.cells import pad_to_cells
from mars_pl.wsss.propagation.random_walk import half_disc
from mars_pl.wsss.psa.affinity_net import AffinityNet, pair_affinity
from mars_pl.wsss.seam.network import SEAM


def make(**options) -> AffinityNet:
    torch.manual_seed(0)
    return AffinityNet(TimmIntermediateFeatures("test_resnet"), **options)


def test_features_by_the_three_taps_on_whole_cells():
    network = make().eval()
    image = torch.randint(0, 256, (2, 3, 50, 66), dtype=torch.uint8)
    features = network(image)
    assert features.shape == (2, 448, 7, 9)
    intermediate = network.backbone(pad_to_cells(network.normalise(image), 8))
    narrowed = [nn.ELU()(convolution(maps)) for convolution, maps in zip(network.narrow, intermediate, strict=True)]
    assert [part.shape[1] for part in narrowed] == [64, 128, 256]
    assert torch.allclose(features, nn.ELU()(network.merge(torch.cat(narrowed, 1))), atol=1e-6)


def test_everything_learns_but_what_is_frozen():
    network = make()
    network(torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)).sum().backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert without == {name for name, parameter in network.named_parameters() if not parameter.requires_grad}


def test_it_starts_from_the_backbone_of_a_classifier(tmp_path):
    torch.manual_seed(1)
    classifier = SEAM(3, TimmIntermediateFeatures("test_resnet"))
    save_weights(classifier, tmp_path / "w.safetensors")
    network = make(classifier_weights=str(tmp_path / "w.safetensors"))
    ours, theirs = network.backbone.state_dict(), classifier.backbone.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    save_weights(nn.Linear(1, 1), tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"other.safetensors.*keys missing"):
        make(classifier_weights=str(tmp_path / "other.safetensors"))


@pytest.mark.parametrize("size", [(5, 6), (2, 3), (1, 1)])
def test_affinity_by_its_formula_a_pair_at_a_time(size):
    torch.manual_seed(0)
    features = torch.randn(2, 7, *size, dtype=torch.float64)
    offsets = half_disc(4)
    affinity = pair_affinity(features, offsets)
    assert affinity.shape == (2, len(offsets), *size)
    for image in range(2):
        for index, (down, right) in enumerate(offsets.tolist()):
            for y in range(size[0]):
                for x in range(size[1]):
                    expected = 0.0
                    if y + down < size[0] and 0 <= x + right < size[1]:
                        there = features[image, :, y + down, x + right]
                        gaps = [abs(a - b) for a, b in zip(features[image, :, y, x], there, strict=True)]
                        expected = math.exp(-sum(gaps) / 7)
                    assert affinity[image, index, y, x].item() == pytest.approx(expected, abs=1e-12)
