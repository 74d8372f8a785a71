import math

import pytest
import torch

from mars_pl.wsss.propagation.affinity_loss import affinity_loss, pair_labels
from mars_pl.wsss.propagation.random_walk import half_disc


def slow_loss(affinity, labels, offsets):
    """The published sums over one list of pairs for each kind."""
    values = {"background": [], "foreground": [], "negative": []}
    batch, height, width = labels.shape
    for image in range(batch):
        for index, (down, right) in enumerate(offsets.tolist()):
            for y in range(height):
                for x in range(width):
                    if y + down >= height or not 0 <= x + right < width:
                        continue
                    here, there = labels[image, y, x].item(), labels[image, y + down, x + right].item()
                    strength = affinity[image, index, y, x].item()
                    if 255 in (here, there):
                        continue
                    if here != there:
                        values["negative"].append(-math.log(1 + 1e-5 - strength))
                    else:
                        values["foreground" if here else "background"].append(-math.log(strength + 1e-5))
    means = {kind: sum(found) / (len(found) + 1e-5) for kind, found in values.items()}
    return means["background"] / 4 + means["foreground"] / 4 + means["negative"] / 2


@pytest.mark.parametrize("codes", [[0, 1, 2, 255], [0, 3], [5, 255], [255]])
def test_loss_agrees_with_a_literal_transcription(codes):
    torch.manual_seed(0)
    labels = torch.tensor(codes)[torch.randint(0, len(codes), (2, 6, 7))]
    offsets = half_disc(5)
    affinity = torch.rand(2, len(offsets), 6, 7, dtype=torch.float64)
    loss = affinity_loss(affinity, pair_labels(labels, offsets))
    assert loss.item() == pytest.approx(slow_loss(affinity, labels, offsets), abs=1e-10)


def test_perfect_affinities_cost_nothing_and_opposite_ones_much():
    labels = torch.tensor([[[0, 0, 1, 1, 255]]])
    offsets = torch.tensor([[0, 1]])
    perfect = torch.tensor([1.0, 0.0, 1.0, 0.3, 0.0]).view(1, 1, 1, 5)
    pairs = pair_labels(labels, offsets)
    assert affinity_loss(perfect, pairs).item() == pytest.approx(0, abs=1e-4)
    assert affinity_loss(1 - perfect, pairs).item() == pytest.approx(-math.log(1e-5), rel=1e-3)


def test_unsure_pairs_and_those_off_the_grid_teach_nothing():
    labels = torch.tensor([[[0, 255], [0, 4]]])
    offsets = half_disc(2)
    affinity = torch.full((1, len(offsets), 2, 2), 0.5, requires_grad=True)
    affinity_loss(affinity, pair_labels(labels, offsets)).backward()
    taught = {tuple(place) for place in affinity.grad[0].nonzero().tolist()}
    right, below, slanting = (offsets.tolist().index(offset) for offset in ([0, 1], [1, 0], [1, 1]))
    assert taught == {(below, 0, 0), (right, 1, 0), (slanting, 0, 0)}


def test_another_code_may_be_unsure():
    labels = torch.tensor([[[0, 255, 255, 0]]])
    offsets = torch.tensor([[0, 1]])
    by_255, by_9 = pair_labels(labels, offsets), pair_labels(labels, offsets, unsure=9)
    assert not by_255.negative.any() and not by_255.foreground.any()
    assert by_9.negative.tolist() == [[[[True, False, True, False]]]]
    assert by_9.foreground.tolist() == [[[[False, True, False, False]]]]
