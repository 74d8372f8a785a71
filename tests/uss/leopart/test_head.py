from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from mars_pl.uss.leopart.head import LeopartHead


def test_the_published_head_has_three_layers_and_300_prototypes():
    """Shapes of MkuuWaUjinga/leopart, src/vit.py with train_voc_config.yml, on ViT-S."""
    shapes = {name: tuple(value.shape) for name, value in LeopartHead(384).state_dict().items()}
    assert shapes == {
        "projection.0.weight": (2048, 384), "projection.0.bias": (2048,),
        "projection.2.weight": (2048, 2048), "projection.2.bias": (2048,),
        "projection.4.weight": (256, 2048), "projection.4.bias": (256,),
        "prototypes.weight": (300, 256),
    }  # fmt: skip


def test_vectors_have_unit_length_and_scores_are_cosines():
    torch.manual_seed(0)
    head = LeopartHead(8, dim=4, hidden=6, layers=2, prototypes=5)
    tokens = torch.randn(2, 8, 3, 4)
    vectors = head(tokens)
    first, second = head.projection[0], head.projection[2]
    by_hand = second(F.gelu(first(tokens[1, :, 2, 3])))
    torch.testing.assert_close(vectors[1, :, 2, 3], by_hand / by_hand.norm())
    scores = head.scores(vectors)
    assert scores.shape == (2, 5, 3, 4)
    cosine = F.cosine_similarity(vectors[0, :, 1, 1], head.prototypes.weight[3], dim=0)
    torch.testing.assert_close(scores[0, 3, 1, 1], cosine)
    torch.testing.assert_close(head.scores(vectors[:, :, 1, 1]), scores[:, :, 1, 1])


def test_prototypes_go_back_to_unit_length():
    head = LeopartHead(8, dim=4, hidden=6, prototypes=5)
    before = head.prototypes.weight.detach().clone()
    torch.testing.assert_close(before.norm(dim=1), torch.ones(5))
    with torch.no_grad():
        head.prototypes.weight.mul_(3)
    head.normalise_prototypes()
    torch.testing.assert_close(head.prototypes.weight.detach(), before)


def test_a_single_layer_is_linear_and_none_is_refused():
    assert len(LeopartHead(8, dim=4, layers=1).projection) == 1
    with pytest.raises(ValueError, match="layers"):
        LeopartHead(8, layers=0)
