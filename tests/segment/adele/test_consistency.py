import pytest
import torch

from mars_pl.segment.adele.consistency import MultiScaleConsistency


def logits_of(*probabilities):
    """Maps (1, K, 1, 1) whose softmax is given."""
    return torch.tensor(probabilities).log().reshape(1, -1, 1, 1)


VALID = torch.ones(1, 1, 1, dtype=torch.bool)


def test_the_divergence_from_the_mixture_by_hand():
    loss = MultiScaleConsistency(2)
    p, q = torch.tensor([0.95, 0.05]), torch.tensor([0.75, 0.25])
    m = (p + q) / 2
    expected = (p * (p / m).log()).sum() + (q * (q / m).log()).sum()
    assert loss([logits_of(*p), logits_of(*q)], VALID).item() == pytest.approx(expected.item(), rel=1e-4)


def test_a_crop_takes_part_where_its_mixture_is_certain_in_a_valid_pixel():
    loss = MultiScaleConsistency(2)
    sure, unsure = logits_of(0.95, 0.05), logits_of(0.6, 0.4)
    crops = [torch.cat([sure, unsure]), torch.cat([logits_of(0.75, 0.25), logits_of(0.4, 0.6)])]
    both = torch.ones(2, 1, 1, dtype=torch.bool)
    alone = loss([sure, logits_of(0.75, 0.25)], VALID)
    assert loss(crops, both).item() == pytest.approx(alone.item() / 2), "the unsure crop counts in the mean alone"
    assert loss(crops, ~both).item() == 0


def test_scales_that_agree_cost_nothing_and_the_shares_learn():
    loss = MultiScaleConsistency(3)
    assert loss([logits_of(0.9, 0.1)] * 3, VALID).item() == pytest.approx(0, abs=1e-6)
    assert loss.shares().tolist() == pytest.approx([1 / 3] * 3)
    maps = [logits_of(0.95, 0.05), logits_of(0.9, 0.1), logits_of(0.6, 0.4)]
    loss.weights.data = torch.tensor([1.0, 0.0, 0.0])
    loss(maps, VALID).backward()
    assert loss.weights.grad[0] > 0 > loss.weights.grad[2], (
        "the mean lies nearer to all than the first, the odd one far"
    )


def test_a_class_of_no_probability_is_finite():
    loss = MultiScaleConsistency(2)
    maps = [torch.tensor([1000.0, -1000.0]).reshape(1, 2, 1, 1).requires_grad_() for _ in range(2)]
    value = loss(maps, VALID)
    value.backward()
    assert torch.isfinite(value) and all(torch.isfinite(one.grad).all() for one in maps)
