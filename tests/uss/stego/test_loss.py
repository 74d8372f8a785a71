from __future__ import annotations

import pytest
import torch

from mars_pl.uss.stego.loss import STEGOLoss, draw_random_negatives


@pytest.mark.parametrize("batch", [2, 3, 16])
def test_random_negatives_are_a_permutation_without_fixed_points(batch):
    torch.manual_seed(0)
    for _ in range(200):
        partner = draw_random_negatives(batch)
        assert sorted(partner.tolist()) == list(range(batch))
        assert not (partner == torch.arange(batch)).any()


def test_every_other_image_is_drawn_equally_often():
    torch.manual_seed(0)
    counts = torch.stack([draw_random_negatives(4) for _ in range(3000)])[:, 0].bincount(minlength=4)
    assert counts[0] == 0
    assert ((counts[1:] - 1000).abs() < 120).all()


def test_a_batch_of_one_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        draw_random_negatives(1)


def _flat(*vectors):
    """Maps that are the same vector everywhere, one for each image."""
    return torch.tensor(vectors)[:, :, None, None].expand(-1, -1, 3, 3)


def test_terms_by_hand_on_flat_maps():
    # Flat maps: centring leaves nothing but the mean over the batch, and each pair of images is a single number.
    features, code = _flat([1.0, 0.0], [0.0, 1.0]), _flat([1.0, 0.0], [0.6, 0.8])
    positive, positive_code = _flat([0.6, 0.8], [0.0, 2.0]), _flat([0.0, 1.0], [1.0, 0.0])
    loss = STEGOLoss(
        0.1, 0.2, 0.3, weight_self=2.0, weight_neighbour=3.0, weight_random=5.0, random_negatives=2, points=4
    )
    terms = loss(features, code, positive, positive_code)
    # self: features 1, codes 1; neighbour: features .6 and 1 of mean .8, codes 0 and .6; random: features 0, codes .6
    assert terms.loss_self.item() == pytest.approx(-(1 - 0.1))
    assert terms.loss_neighbour.item() == pytest.approx(-(0.0 + 0.6 * (0.8 - 0.2)) / 2)
    assert terms.loss_random.item() == pytest.approx(-0.6 * (0 - 0.3))
    assert terms.loss.item() == pytest.approx(2 * -0.9 + 3 * -0.18 + 5 * 0.18)
    assert (terms.cosine_self.item(), terms.cosine_neighbour.item()) == pytest.approx((1, 0.3))
    assert terms.cosine_random.item() == pytest.approx(0.6)


def test_an_image_meets_itself_at_the_same_points_and_others_at_other_points():
    torch.manual_seed(0)
    features, code = torch.randn(2, 8, 6, 6), torch.randn(2, 4, 6, 6)
    terms = STEGOLoss(points=1, random_negatives=1)(features, code, features, code)
    assert terms.cosine_self.item() == pytest.approx(1)
    assert terms.cosine_neighbour < 0.99


def test_only_the_code_gets_a_gradient():
    features, positive = torch.randn(2, 8, 4, 4, requires_grad=True), torch.randn(2, 8, 4, 4, requires_grad=True)
    code, positive_code = torch.randn(2, 4, 4, 4, requires_grad=True), torch.randn(2, 4, 4, 4, requires_grad=True)
    STEGOLoss()(features, code, positive, positive_code).loss.backward()
    assert features.grad is None and positive.grad is None
    assert code.grad.abs().sum() > 0 and positive_code.grad.abs().sum() > 0


def test_defaults_are_those_of_cocostuff_with_vit_b():
    loss = STEGOLoss()
    assert (loss.weight_random, loss.weight_neighbour, loss.weight_self) == (0.1538, 1.0, 0.1)
    assert (loss.shift_random, loss.shift_neighbour, loss.shift_self) == (1.0, 0.20, 0.12)
    assert (loss.random_negatives, loss.points) == (5, 11)
