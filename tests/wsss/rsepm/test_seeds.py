import math

import pytest
import torch

from mars_pl.wsss.rsepm.seeds import present_probabilities, seed_cross_entropy, seed_labels, with_background


def test_only_present_classes_share_the_probability():
    logits = torch.tensor([1.0, 2.0, 50.0, 0.0]).view(1, 4, 1, 1)
    probabilities = present_probabilities(logits, torch.tensor([[1.0, 0.0, 1.0]])).flatten()
    total = math.exp(1) + math.exp(2) + math.exp(0)
    assert probabilities.tolist() == pytest.approx([math.exp(1) / total, math.exp(2) / total, 0.0, 1 / total])


def test_an_image_without_classes_is_background():
    probabilities = present_probabilities(torch.randn(1, 3, 2, 2), torch.zeros(1, 2))
    assert torch.equal(probabilities[:, 0], torch.ones(1, 2, 2))


def test_background_is_what_the_best_class_leaves():
    scores = torch.tensor([[0.6, 0.0], [0.2, 0.0]]).view(1, 2, 1, 2)
    probabilities = with_background(scores)[0, :, 0]
    assert probabilities[:, 0].tolist() == pytest.approx([0.4 / 1.2, 0.6 / 1.2, 0.2 / 1.2])
    assert probabilities[:, 1].tolist() == [1.0, 0.0, 0.0]


def test_confident_pixels_are_labelled_and_the_others_not():
    first = torch.tensor([0.55, 0.54, 0.10, 0.11, 0.90, 0.0])
    second = torch.tensor([0.20, 0.10, 0.05, 0.11, 0.95, 0.0])
    scores = torch.stack([first, second]).view(1, 2, 1, 6)
    assert seed_labels(scores).flatten().tolist() == [1, 255, 0, 255, 2, 0]
    assert seed_labels(scores, certain=0.92, uncertain=0.3).flatten().tolist() == [255, 255, 0, 0, 2, 0]


@pytest.mark.parametrize(("certain", "uncertain"), [(0.1, 0.55), (0.3, 0.3), (1.5, 0.1), (0.5, -0.1)])
def test_thresholds_in_the_wrong_order_are_refused(certain, uncertain):
    with pytest.raises(ValueError, match="uncertain < certain"):
        seed_labels(torch.zeros(1, 1, 1, 1), certain, uncertain)


def test_cross_entropy_is_the_mean_over_labelled_pixels():
    logits = torch.tensor([[[2.0, 0.0, 1.0]], [[0.0, 1.0, 5.0]]])[None]
    label = torch.tensor([[[0, 0, 255]]])
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))) / 2
    assert seed_cross_entropy(logits, label).item() == pytest.approx(expected)


def test_logits_are_enlarged_to_the_label():
    logits = torch.tensor([0.0, 4.0]).view(1, 1, 1, 2)
    both = torch.cat([torch.zeros_like(logits), logits], dim=1)
    enlarged = [0.0, 1.0, 3.0, 4.0]  # bilinear, corners not aligned
    expected = sum(math.log(1 + math.exp(-value)) for value in enlarged) / 4
    assert seed_cross_entropy(both, torch.ones(1, 1, 4, dtype=torch.int64)).item() == pytest.approx(expected)


def test_no_labelled_pixel_is_no_loss():
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = seed_cross_entropy(logits, torch.full((1, 4, 4), 255))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()
