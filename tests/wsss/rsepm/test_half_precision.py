"""Mixed precision ends before RS+EPM's seeds: what is thresholded is not rounded to half."""

import pytest
import torch

from mars_pl.wsss.rsepm.seed_source import activation_scores, decoder_scores
from mars_pl.wsss.rsepm.seeds import seed_labels


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_seeds_on_the_same_features_are_those_of_float32(make_network, monkeypatch, half):
    network = make_network(seed=0).eval()
    generator = torch.Generator().manual_seed(0)
    last = torch.randn(2, network.encoder.channels, 24, 24, generator=generator).relu().to(half)
    decoded = torch.randn(2, network.decoder[-1].in_channels, 96, 96, generator=generator).relu().to(half)
    monkeypatch.setattr(network.encoder, "forward", lambda image: (torch.zeros(2, 8, 96, 96), last))
    monkeypatch.setattr(network.aspp, "forward", lambda maps: torch.zeros(2, 1, 24, 24))
    monkeypatch.setattr(network.low_level, "forward", lambda maps: torch.zeros(2, 1, 96, 96))
    monkeypatch.setattr(network.decoder[0], "forward", lambda maps: decoded)
    monkeypatch.setattr(network.decoder[2], "forward", lambda maps: maps)
    image, classes = torch.zeros(2, 3, 384, 384, dtype=torch.uint8), torch.ones(2, network.classifier.out_channels)

    def labels():
        with torch.no_grad():
            output = network(image)
        scores = activation_scores(output.class_maps, classes), decoder_scores(output.segmentation_logits, classes)
        return [seed_labels(maps, certain=0.4, uncertain=0.25) for maps in scores]

    plain = labels()
    with torch.autocast("cpu", dtype=half):
        mixed = labels()
    for one, other in zip(plain, mixed, strict=True):
        assert torch.equal(one, other) and len(one.unique()) > 2
