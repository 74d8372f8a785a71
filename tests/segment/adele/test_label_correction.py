import pytest
import torch
from torch import nn

from mars_pl.segment.adele.label_correction import concerned, correct_label, tempered_probabilities


def maps(codes, certainty, classes=4):
    """Probabilities whose highest is `certainty` at the class that `codes` names."""
    rest = (1 - torch.as_tensor(certainty)) / (classes - 1)
    found = rest.expand(classes, *codes.shape).clone()
    return found.scatter_(0, codes[None], torch.as_tensor(certainty).expand(codes.shape)[None])


LABEL = torch.tensor([[0, 0, 1, 1], [0, 2, 2, 255]])


def test_sure_pixels_turn_into_the_corrected_classes_that_the_label_shows():
    said = torch.tensor([[1, 3, 0, 2], [1, 1, 2, 1]])
    assert correct_label(LABEL, maps(said, 0.9), [1]).tolist() == [[1, 0, 0, 1], [1, 1, 2, 1]]
    # 3 is not shown, 2 is not corrected; an ignored pixel can become known


def test_an_unsure_prediction_changes_nothing():
    said = torch.tensor([[1, 1, 0, 2], [1, 1, 1, 1]])
    assert torch.equal(correct_label(LABEL, maps(said, 0.79), [1, 2]), LABEL)
    assert not torch.equal(correct_label(LABEL, maps(said, 0.81), [1, 2]), LABEL)


def test_an_image_without_a_corrected_class_stays_and_one_of_background_alone_does_not():
    empty = torch.zeros(2, 4, dtype=torch.int64)
    said = torch.tensor([[3, 3, 3, 3], [1, 1, 1, 1]])
    assert torch.equal(correct_label(LABEL, maps(said, 0.9), [3]), LABEL)
    assert correct_label(empty, maps(said, 0.9), [3]).tolist() == [[3, 3, 3, 3], [0, 0, 0, 0]]
    assert (concerned(LABEL, [3], 4), concerned(LABEL, [2], 4), concerned(empty, [3], 4)) == (False, True, True)
    assert not concerned(empty, [], 4), "nothing is due yet"


def test_a_label_that_would_nearly_vanish_stays():
    label = torch.zeros(10, 10, dtype=torch.int64)
    label[:2] = 1
    said = torch.zeros_like(label)
    said[0, :4] = 1
    assert torch.equal(correct_label(label, maps(said, 0.9), [1]), label), "4 of 20 pixels, less than 5 of 100"
    said[0, :5] = 1
    assert torch.equal(correct_label(label, maps(said, 0.9), [1]), said)


def test_another_size_is_refused_and_the_given_label_is_left_alone():
    with pytest.raises(ValueError, match=r"label: \(H, W\) of the prediction, \(2, 3\), not \(2, 4\)"):
        correct_label(LABEL, torch.zeros(4, 2, 3), [1])
    before = LABEL.clone()
    correct_label(LABEL, maps(torch.ones_like(LABEL), 0.9), [1])
    assert torch.equal(LABEL, before)


class Brightness(nn.Module):
    """Logits of two classes: 0 and three times the mean of the channels over 85."""

    def forward(self, images):
        bright = images.mean(dim=1, keepdim=True) / 85
        return torch.cat([torch.zeros_like(bright), 3 * bright], dim=1)


def test_the_temperature_divides_the_logits():
    image = torch.full((1, 3, 8, 8), 85, dtype=torch.uint8)
    cold = tempered_probabilities(Brightness(), image, scales=(1.0,), temperature=1.0)
    warm = tempered_probabilities(Brightness(), image, temperature=3.0)  # all scales of a flat image say the same
    assert cold[0, 1, 4, 4].item() == pytest.approx(torch.sigmoid(torch.tensor(3.0)).item(), rel=1e-5)
    assert warm[0, 1, 4, 4].item() == pytest.approx(torch.sigmoid(torch.tensor(1.0)).item(), rel=1e-5)
