import math

import pytest
import torch
from torch import nn

from mars_pl.segment.inference import drop_improbable, multi_scale_probabilities


class Brightness(nn.Module):
    """Two classes; the logit of the second is the brightness. Remembers the sizes it saw."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def forward(self, image):
        self.sizes.append(tuple(image.shape[-2:]))
        bright = image.float().mean(1, keepdim=True) / 255
        return torch.cat([torch.zeros_like(bright), 4 * bright - 2], dim=1)


class LeftOnly(nn.Module):
    """Says class 1 on the left half of whatever it sees."""

    def forward(self, image):
        logits = torch.zeros(len(image), 2, *image.shape[-2:])
        logits[:, 1, :, : image.shape[-1] // 2] = 100.0
        logits[:, 0, :, image.shape[-1] // 2 :] = 100.0
        return logits


IMAGES = torch.randint(0, 256, (1, 3, 20, 31), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_views_are_scaled_and_the_mean_is_a_distribution_at_image_size():
    network = Brightness()
    probabilities = multi_scale_probabilities(network, IMAGES, (1.0, 0.5, 2.0), flip=True)
    assert network.sizes == [(20, 31)] * 2 + [(10, 16)] * 2 + [(40, 62)] * 2
    assert probabilities.shape == (1, 2, 20, 31)
    assert torch.allclose(probabilities.sum(1), torch.ones(1, 20, 31))


def test_one_scale_without_flip_is_the_softmax():
    network = Brightness()
    expected = network(IMAGES).softmax(1)
    assert torch.allclose(multi_scale_probabilities(network, IMAGES, (1.0,), flip=False), expected)
    assert torch.allclose(multi_scale_probabilities(network, IMAGES, (1.0,), flip=True), expected, atol=1e-6)


def test_flips_are_turned_back():
    probabilities = multi_scale_probabilities(LeftOnly(), IMAGES[..., :30], (1.0,), flip=True)
    assert torch.allclose(probabilities, torch.full_like(probabilities, 0.5))


def test_mean_of_probabilities_and_softmax_of_mean_logits_by_hand():
    def network(view):  # logit of class 1: 2 as it is, -4 at half size
        return torch.zeros(1, 2, 1, 1) + torch.tensor([0.0, 2.0 if view.shape[-1] == 31 else -4.0]).view(1, 2, 1, 1)

    def sigmoid(value):
        return 1 / (1 + math.exp(-value))

    for average, expected in (("probabilities", (sigmoid(2) + sigmoid(-4)) / 2), ("logits", sigmoid(-1))):
        for flip in (False, True):
            probabilities = multi_scale_probabilities(network, IMAGES, (1.0, 0.5), flip, average)
            assert torch.allclose(probabilities[:, 1], torch.full((1, 20, 31), expected))
            assert torch.allclose(probabilities.sum(1), torch.ones(1, 20, 31))


def test_corners_meet_on_the_grid_of_the_view_nearest_to_scale_1():
    """By hand: at scale 1 cells at 0 and 4 of 5 pixels, at scale .5 (2 pixels) one cell, over the whole image."""
    sizes = []

    def network(view):
        sizes.append(tuple(view.shape[-2:]))
        logits = torch.tensor([0.0, 4.0]) if view.shape[-1] == 5 else torch.tensor([-2.0])
        return torch.stack([torch.zeros(1, 1, len(logits)), logits.view(1, 1, -1)], dim=1)

    images = torch.zeros(1, 3, 5, 5, dtype=torch.uint8)
    found = multi_scale_probabilities(network, images, (0.5, 1.0), False, "logits", resampling="corners")
    assert sizes == [(5, 5), (2, 2)]  # 2.5 is cut, where centres round it to 3
    expected = torch.tensor([(0.0 + 4.0 * place / 4 - 2.0) / 2 for place in range(5)]).sigmoid()
    assert torch.allclose(found[0, 1], expected.expand(5, 5), atol=1e-6)


def test_corners_of_a_view_are_the_images_and_nothing_is_antialiased():
    views = []

    def network(view):
        views.append(view[0, 0])
        return torch.zeros(1, 2, *view.shape[-2:])

    images = torch.arange(9, dtype=torch.uint8).expand(1, 3, 9, 9) ** 2
    multi_scale_probabilities(network, images, (0.34,), False, resampling="corners")
    assert torch.allclose(views[0], torch.tensor([0.0, 16.0, 64.0]).expand(3, 3))


def test_flips_are_turned_back_with_corners_too():
    probabilities = multi_scale_probabilities(LeftOnly(), IMAGES[..., :30], (1.0, 2.0), True, resampling="corners")
    assert torch.allclose(probabilities, torch.full_like(probabilities, 0.5), atol=1e-6)


def test_improbable_classes_are_zero_and_background_stays():
    probabilities = torch.tensor([0.01, 0.04, 0.05, 0.9]).view(1, 4, 1, 1)
    assert drop_improbable(probabilities).flatten().tolist() == pytest.approx([0.01, 0, 0, 0.9])  # > as DHR, not ≥
    assert drop_improbable(probabilities, 0.049).flatten().tolist() == pytest.approx([0.01, 0, 0.05, 0.9])
