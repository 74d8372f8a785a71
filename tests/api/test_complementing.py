"""The teacher's answer in a training step of one's own, and what is said of a batch that does not fit together."""

import pytest
import torch

from datamodules.files.labels import BIASED
from mars_pl.api import Complement
from tests.api.given import RED
from tests.debias.colours import COMPANION


def test_complement_fills_what_the_teacher_knows_and_lets_no_gradient_through():
    label = torch.full((1, 24, 32), BIASED, dtype=torch.uint8)
    label[0, COMPANION[0], COMPANION[1]] = 2
    logits = torch.zeros(1, 4, 6, 8, requires_grad=True) + torch.tensor([0.0, 9, 0, 0]).view(1, 4, 1, 1)
    filled, weight = Complement()(RED["image"][None], logits, label, RED["classes"][None])
    assert filled.dtype == torch.long and not weight.requires_grad
    assert filled[0, 0, 0] == 1 and (filled[0][COMPANION] == 2).all()
    assert 0.99 < weight[0, 0, 0] < 1 and (weight[0][COMPANION] == 1).all()


def test_a_batch_that_does_not_fit_together_is_named():
    image, label = RED["image"][None], torch.full((1, 24, 32), BIASED)
    logits, classes = torch.zeros(1, 4, 6, 8), RED["classes"][None]
    for changed, words in (
        ((image.float(), logits, label, classes), r"images: want uint8 \(1, 3, 24, 32\), got torch.float32"),
        ((image, logits[0], label, classes), r"logits: want \(1, num_classes, h, w\)"),
        ((image, logits, label[0], classes), r"label: want integers \(B, H, W\)"),
        ((image, logits, label, torch.ones(1, 4)), r"classes: want \(1, 3\), background left out, got \(1, 4\)"),
    ):
        with pytest.raises(ValueError, match=words):
            Complement()(*changed)
