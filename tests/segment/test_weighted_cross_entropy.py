import math

import pytest
import torch

from mars_pl.segment.weighted_cross_entropy import WeightedCrossEntropy


def logits_of(*probabilities):
    """Logits (1, K, 1, N) of N pixels with the given distributions."""
    return torch.tensor(probabilities).log().T[None, :, None]


LOGITS = logits_of([0.5, 0.5], [0.25, 0.75], [0.9, 0.1])
LABEL = torch.tensor([[[0, 1, 255]]])
WEIGHT = torch.tensor([[[1.0, 0.4, 1.0]]])


def test_equation_7_by_hand():
    loss = WeightedCrossEntropy()(LOGITS, LABEL, WEIGHT)
    assert loss.item() == pytest.approx((math.log(2) + 0.4 * math.log(4 / 3)) / 2)


def test_divided_by_the_sum_of_weights():
    loss = WeightedCrossEntropy(norm="weights")(LOGITS, LABEL, WEIGHT)
    assert loss.item() == pytest.approx((math.log(2) + 0.4 * math.log(4 / 3)) / 1.4)


def test_without_weights_it_is_the_mean_cross_entropy():
    expected = torch.nn.functional.cross_entropy(LOGITS, LABEL, ignore_index=255)
    assert torch.allclose(WeightedCrossEntropy()(LOGITS, LABEL), expected)


def test_doubt_makes_the_loss_smaller_and_zero_weight_silences_a_pixel():
    logits = LOGITS.clone().requires_grad_()
    WeightedCrossEntropy()(logits, LABEL, torch.tensor([[[1.0, 0.0, 1.0]]])).backward()
    assert logits.grad[0, :, 0, 0].abs().sum() > 0
    assert logits.grad[0, :, 0, 1:].abs().sum() == 0


def test_all_ignored_is_zero_and_differentiable():
    logits = LOGITS.clone().requires_grad_()
    for norm in ("pixels", "weights"):
        loss = WeightedCrossEntropy(norm=norm)(logits, torch.full_like(LABEL, 255), WEIGHT)
        loss.backward()
        assert loss.item() == 0


def test_float32_for_half_precision_logits():
    assert WeightedCrossEntropy()(LOGITS.bfloat16(), LABEL, WEIGHT.bfloat16()).dtype == torch.float32


def test_the_loss_is_taken_at_either_size():
    torch.manual_seed(0)
    small, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 16, 20))
    image = WeightedCrossEntropy(loss_size="image")(small, label)
    big = torch.nn.functional.interpolate(small, size=(16, 20), mode="bilinear", align_corners=False)
    assert torch.allclose(image, torch.nn.functional.cross_entropy(big, label))
    logits = WeightedCrossEntropy(loss_size="logits")(small, label)
    assert torch.allclose(logits, torch.nn.functional.cross_entropy(small, label[:, 2::4, 2::4]))
