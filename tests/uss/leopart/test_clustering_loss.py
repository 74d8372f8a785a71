from __future__ import annotations

import math

import pytest
import torch

from mars_pl.uss.leopart.alignment import align, overlap, within
from mars_pl.uss.leopart.clustering_loss import clustering_loss


@pytest.fixture
def crops():
    """Two large crops of 6 × 6 tokens and a small one of 4 × 4, of two images; 3 prototypes."""
    generator = torch.Generator().manual_seed(0)
    assignments = torch.rand(2, 2, 3, 6, 6, dtype=torch.float64, generator=generator).softmax(dim=2)
    predictions = [torch.rand(2, 3, side, side, dtype=torch.float64, generator=generator) for side in (6, 6, 4)]
    boxes = torch.tensor([[[0, 0, 60, 60], [20, 10, 80, 70], [30, 30, 50, 50]]] * 2, dtype=torch.float64)
    boxes[1] += 5
    foreground = torch.ones(2, 2, 6, 6, dtype=torch.bool)
    foreground[0, 0, :, :4] = False
    foreground[1, 1] = False
    return assignments, foreground, predictions, boxes


def literal(assignments, foreground, predictions, boxes, temperature, side):
    """The sum over crops, images, places and prototypes, a number at a time."""
    loss = 0.0
    for g in range(len(assignments)):
        for v in range(len(predictions)):
            if v == g:
                continue
            common = overlap(boxes[:, g], boxes[:, v])
            wanted = align(assignments[g], within(common, boxes[:, g]), side)
            shown = align(foreground[g][:, None].double(), within(common, boxes[:, g]), side)
            scores = align(predictions[v], within(common, boxes[:, v]), side)
            total, places = 0.0, 0
            for b in range(scores.shape[0]):
                for i in range(side):
                    for j in range(side):
                        if shown[b, 0, i, j] < 1:
                            continue
                        places += 1
                        powers = [math.exp(float(score) / temperature) for score in scores[b, :, i, j]]
                        for k, power in enumerate(powers):
                            total -= float(wanted[b, k, i, j]) * math.log(power / sum(powers))
            loss += total / max(places, 1) / (len(predictions) - 1)
    return loss / len(assignments)


def test_the_same_as_the_literal_sum(crops):
    found = clustering_loss(*crops, temperature=0.1, side=4)
    assert float(found) == pytest.approx(literal(*crops, temperature=0.1, side=4), rel=1e-9)


def test_the_prediction_of_background_is_free(crops):
    assignments, foreground, predictions, boxes = crops
    predictions = [scores.requires_grad_() for scores in predictions]
    clustering_loss(assignments, torch.zeros_like(foreground), predictions, boxes).backward()
    assert all(scores.grad.abs().max() == 0 for scores in predictions), "and the graph holds where nothing counts"


def test_a_crop_that_says_the_same_loses_only_the_entropy(crops):
    foreground = crops[1]
    whole = torch.tensor([[[0.0, 0.0, 60.0, 60.0]] * 3] * 2)
    shares = torch.rand(2, 3, 1, 1).softmax(dim=1).expand(2, 3, 6, 6)
    predictions = [0.1 * shares.log()] * 3
    found = clustering_loss(torch.stack([shares, shares]), torch.ones_like(foreground), predictions, whole)
    entropy = -(shares * shares.log()).sum(1).mean()
    torch.testing.assert_close(found, entropy)
    other = [-scores for scores in predictions]
    assert clustering_loss(torch.stack([shares, shares]), torch.ones_like(foreground), other, whole) > found


def test_no_gradient_reaches_the_assignments(crops):
    assignments, foreground, predictions, boxes = crops
    assignments.requires_grad_()
    predictions[0].requires_grad_()
    clustering_loss(assignments, foreground.fill_(True), predictions, boxes).backward()
    assert assignments.grad is None
    assert predictions[0].grad.abs().sum() > 0
