import pytest
import torch

from mars_pl.segment.dhr.seeds import activations, rest, seed_maps, sow


def test_activations_are_the_positive_part_with_one_at_the_highest():
    maps = activations(torch.tensor([[[-1.0, 2.0], [1.0, 0.0]], [[-1.0, -2.0], [-3.0, -4.0]]]))
    assert torch.equal(maps, torch.tensor([[[0, 1], [0.5, 0]], [[0.0, 0], [0, 0]]]))


def test_only_several_classes_are_transported():
    one = torch.rand(1, 2, 2)
    assert torch.equal(seed_maps(one, lambda maps: maps * 0), one)
    assert torch.equal(seed_maps(torch.ones(2, 1, 1), lambda maps: maps * 0.25), torch.full((2, 1, 1), 0.25))


def test_the_rest_is_what_no_class_claims():
    assert torch.allclose(rest(torch.tensor([[[0.25, 0.5]], [[0.75, 0.0]]])), torch.tensor([[0.25, 0.5]]))


@pytest.fixture
def batch():
    """One image of four pixels and three classes, of which the first two are in it."""
    refined = torch.zeros(1, 4, 1, 4)
    refined[0, 1] = torch.tensor([0.9, 0.4, 0.0, 0.0])
    refined[0, 2] = torch.tensor([0.1, 0.4, 0.8, 0.0])
    refined[0, 3] = torch.tensor([0.0, 0.2, 0.0, 1.0])  # not in the image
    return torch.tensor([[[0, 1, 255, 0]]]), refined, torch.tensor([[1.0, 1.0, 0.0]])


@pytest.mark.parametrize(
    ("where", "expected"), [("everywhere", [1, 1, 2, 0]), ("vanished", [0, 1, 2, 0]), ("nowhere", [0, 1, 255, 0])]
)
def test_seeds_overwrite_what_the_rule_lets_them(batch, where, expected):
    assert sow(*batch, where).flatten().tolist() == expected


def test_a_half_is_enough_and_less_is_not():
    refined = torch.tensor([0.5, 0.5, 0.49]).view(1, 1, 1, 3)
    refined = torch.cat([1 - refined, refined], dim=1)
    assert sow(torch.zeros(1, 1, 3, dtype=torch.long), refined, torch.ones(1, 1)).flatten().tolist() == [1, 1, 0]
