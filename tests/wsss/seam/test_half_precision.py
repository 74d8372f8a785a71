"""Mixed precision reaches SEAM's backbone alone: on the same features the cells are those of float32."""

import pytest
import torch
import torch.nn.functional as F

from mars_pl.networks.intermediate_features import IntermediateFeatureBackbone
from mars_pl.wsss.seam.maps import seeds
from mars_pl.wsss.seam.network import SEAM

HALVES = [torch.float16, torch.bfloat16]
CLASSES = 20


class Features(IntermediateFeatureBackbone):
    """Hands out the same features whatever the image, in half precision as an autocast backbone does."""

    def __init__(self, half):
        super().__init__()
        self.channels, self.stride, self.frozen_batch_norm = (6, 7, 64), 8, False
        generator = torch.Generator().manual_seed(0)
        coarse = [torch.randn(2, width, 6, 6, generator=generator) for width in self.channels]
        self.maps = tuple(F.interpolate(maps, (24, 24), mode="bicubic").relu().to(half) for maps in coarse)

    def forward(self, image):
        return self.maps


def drawn(half, monkeypatch):
    """Maps and seeds in float32 and under autocast, of the same rounded features."""
    torch.manual_seed(0)
    network = SEAM(1 + CLASSES, Features(half)).eval()
    image = torch.randint(0, 256, (2, 3, 192, 192), dtype=torch.uint8)
    found = []
    monkeypatch.setattr("mars_pl.wsss.seam.network.seeds", lambda maps: found.append(seeds(maps)) or found[-1])
    with torch.no_grad():
        plain = network(image)
        with torch.autocast("cpu", dtype=half):
            mixed = network(image)
    return network, plain, mixed, found


@pytest.mark.parametrize("half", HALVES)
def test_every_cell_has_one_class_and_it_is_that_of_float32(half, monkeypatch):
    _, plain, mixed, (cells, mixed_cells) = drawn(half, monkeypatch)
    assert ((mixed_cells[:, 1:] > 0).sum(1) == 1).all()
    assert torch.equal(mixed_cells, cells)
    assert mixed.corrected.dtype == mixed.activation.dtype == torch.float32
    assert torch.equal(mixed.activation, plain.activation) and torch.equal(mixed.corrected, plain.corrected)


def test_the_features_are_such_that_bfloat16_would_tie_classes(monkeypatch):
    network, *_ = drawn(torch.bfloat16, monkeypatch)
    rounded = network.classifier(network.backbone.maps[2].float()).bfloat16()
    assert ((seeds(rounded)[:, 1:] > 0).sum(1) > 1).any()


@pytest.mark.parametrize("half", HALVES)
def test_gradients_reach_the_three_convolutions_in_float32(half, monkeypatch):
    network = SEAM(1 + CLASSES, Features(half)).eval()
    image = torch.randint(0, 256, (2, 3, 192, 192), dtype=torch.uint8)
    with torch.autocast("cpu", dtype=half):
        corrected = network(image).corrected
    corrected.square().sum().backward()  # outside, as the trainer does
    mixed = [parameter.grad for parameter in network.pixel_correlation.parameters()]
    network.zero_grad()
    network(image).corrected.square().sum().backward()
    plain = [parameter.grad for parameter in network.pixel_correlation.parameters()]
    torch.testing.assert_close(mixed, plain, rtol=1e-5, atol=1e-7)
