import pytest
import torch

from mars_pl.refine.dense_crf import DenseCRF
from mars_pl.refine.protocol import Refine
from mars_pl.segment.complement import (
    Complement,
    certain_mask,
    complemented_label,
    restrict,
    shares,
    taught_removal,
    teacher_label,
    valid_box,
)

BIASED = 254
# one image of four pixels: background and three classes; the image holds classes 1 and 3
PROBABILITIES = torch.tensor(
    [[0.1, 0.6, 0.2, 0.1], [0.8, 0.1, 0.05, 0.05], [0.2, 0.1, 0.6, 0.1], [0.0, 0.1, 0.0, 0.9]]
).T[None, :, None]
CLASSES = torch.tensor([[1.0, 0.0, 1.0]])
LABEL = torch.tensor([[[BIASED, BIASED, BIASED, 3]]])
IMAGES = torch.zeros(1, 3, 1, 4, dtype=torch.uint8)


class Spy(Refine):
    """Refines by a given change and remembers what it saw."""

    def __init__(self, change=lambda probabilities: probabilities):
        self.change, self.seen = change, []

    def __call__(self, images, probabilities):
        self.seen.append((images.clone(), probabilities.clone()))
        return self.change(probabilities)


def test_equation_6_by_hand():
    weight = certain_mask(PROBABILITIES, CLASSES, LABEL == BIASED)
    # background .8 weighs its best image class, .1; class 2 is not in the image; the last pixel is not biased
    assert weight[0, 0].tolist() == pytest.approx([0.6, 0.1, 0.1, 1.0])


def test_equation_6_with_background():
    weight = certain_mask(PROBABILITIES, CLASSES, LABEL == BIASED, include_background=True)
    assert weight[0, 0].tolist() == pytest.approx([0.6, 0.8, 0.2, 1.0])


def test_equation_6_of_an_image_without_classes_weighs_biased_pixels_zero():
    weight = certain_mask(PROBABILITIES, torch.zeros_like(CLASSES), LABEL == BIASED)
    assert weight[0, 0].tolist() == [0, 0, 0, 1]


def test_teacher_says_background_or_a_class_of_the_image():
    # the third pixel's best class, 2, is not in the image: background .2 is next
    assert teacher_label(IMAGES, PROBABILITIES, CLASSES)[0, 0].tolist() == [1, 0, 0, 3]
    assert restrict(PROBABILITIES, CLASSES)[0, 2].abs().sum() == 0


def test_only_biased_pixels_are_filled():
    teacher = torch.tensor([[[1, 0, 0, 1]]])
    assert complemented_label(torch.tensor([[[BIASED, BIASED, 255, 3]]]), teacher, BIASED)[0, 0].tolist() == [
        1,
        0,
        255,
        3,
    ]


def test_removal_is_taught_unless_the_teacher_insists():
    teacher, certainty = torch.tensor([1, 1, 0, 3]), torch.tensor([0.6, 0.4, 0.9, 0.5])
    label, weight = taught_removal(teacher, certainty, threshold=0.5)
    assert label.tolist() == [1, 0, 0, 0]
    assert weight.tolist() == pytest.approx([0.6, 1, 1, 1])


@pytest.mark.parametrize(
    ("certain", "label", "weight"),
    [
        ("paper", [1, 0, 0, 3], [0.6, 0.1, 0.1, 1]),
        ("none", [1, 0, 0, 3], [1, 1, 1, 1]),
        ("background", [1, 0, 0, 3], [0.6, 0.8, 0.2, 1]),
        ("removal", [1, 0, 0, 3], [0.6, 1, 1, 1]),
    ],
)
def test_named_rules(certain, label, weight):
    complement = Complement(certain=certain)
    filled, weights = complement(IMAGES, PROBABILITIES.clamp(min=1e-9).log(), LABEL, CLASSES, BIASED)
    assert filled[0, 0].tolist() == label
    assert weights[0, 0].tolist() == pytest.approx(weight)


def test_removal_with_threshold_one_never_restores():
    filled, weight = Complement(certain="removal", threshold=1.0)(IMAGES, 50 * PROBABILITIES, LABEL, CLASSES, BIASED)
    assert filled[0, 0].tolist() == [0, 0, 0, 3]
    assert weight[0, 0].tolist() == [1, 1, 1, 1]


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="certain: one of paper, none"):
        Complement(certain="confident")


def test_refinement_sees_restricted_channels_and_decides_the_label_but_not_the_weight():
    spy = Spy(lambda probabilities: probabilities.flip(1) * 0 + torch.eye(4)[3].view(1, 4, 1, 1))
    filled, weight = Complement(refine=spy)(IMAGES, PROBABILITIES.clamp(min=1e-9).log(), LABEL, CLASSES, BIASED)
    [(_, seen)] = spy.seen
    assert seen[0, 2].abs().sum() == 0
    # .1, .6 and .1 of .8; .8, .1 and .05 of .95; .2, .1 and .1 of .4
    assert seen[0, [0, 1, 3], 0, :3].T.flatten().tolist() == pytest.approx(
        [1 / 8, 6 / 8, 1 / 8, 80 / 95, 10 / 95, 5 / 95, 2 / 4, 1 / 4, 1 / 4]
    )
    assert filled[0, 0].tolist() == [3, 3, 3, 3]
    assert weight[0, 0].tolist() == pytest.approx([0.6, 0.1, 0.1, 1.0])


def test_possible_classes_share_a_pixel_that_the_softmax_gave_to_others():
    """A dense CRF cuts off at 1e-5: without their shares both would look alike."""
    logits = torch.tensor([-20.0, -17.0, 5.0, -30.0]).view(1, 4, 1, 1).expand(1, 4, 8, 8)
    label, images = torch.full((1, 8, 8), BIASED), torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    filled, weight = Complement(refine=DenseCRF())(images, logits, label, CLASSES, BIASED)
    assert (filled == 1).all()
    assert weight.max() < 1e-8, "W is not restricted: the teacher sees none of the image's classes here"


def test_shares_sum_to_one_and_nothing_stays_nothing():
    maps = torch.tensor([[0.1, 0.3, 0.0], [1e-30, 0.0, 3e-30], [0.0, 0.0, 0.0]]).T[None, :, None]
    found = shares(maps)[0, :, 0].T
    assert found.flatten().tolist() == pytest.approx([0.25, 0.75, 0, 0.25, 0, 0.75, 0, 0, 0])


def test_refinement_stays_inside_the_valid_box():
    spy = Spy()
    images = torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8)
    valid = torch.ones(3, 8, 8, dtype=torch.bool)
    valid[1, :2], valid[1, :, 5:] = False, False
    Complement(refine=spy)(
        images, torch.randn(3, 4, 2, 2), torch.full((3, 8, 8), BIASED), torch.ones(3, 3), BIASED, valid
    )
    assert [tuple(seen.shape) for seen, _ in spy.seen] == [(2, 3, 8, 8), (1, 3, 6, 5)]
    assert torch.equal(spy.seen[1][0], images[1:2, :, 2:, :5])
    assert valid_box(torch.zeros(4, 4, dtype=torch.bool)) == (0, 0, 0, 0)


def test_stride_refines_smaller_maps_and_returns_full_size():
    spy = Spy()
    images = torch.randint(0, 256, (1, 3, 9, 12), dtype=torch.uint8)
    valid = torch.zeros(1, 9, 12, dtype=torch.bool)
    valid[0, :9, 3:12] = True
    label = torch.full((1, 9, 12), BIASED)
    filled, weight = Complement(refine=spy, stride=2)(
        images, torch.randn(1, 4, 3, 3), label, torch.ones(1, 3), BIASED, valid
    )
    assert spy.seen[0][0].shape == (1, 3, 5, 4)
    assert spy.seen[0][0].dtype == torch.uint8
    assert filled.shape == weight.shape == (1, 9, 12)
    assert (filled < 4).all()


def test_images_without_biased_pixels_stay_and_are_spared_the_refinement():
    spy = Spy()
    label = torch.cat([torch.full_like(LABEL, 255), LABEL, torch.zeros_like(LABEL)])
    batch = [whole.repeat(3, *[1] * (whole.ndim - 1)) for whole in (IMAGES, 50 * PROBABILITIES)]
    given = label.clone()
    filled, weight = Complement(refine=spy)(*batch, label, CLASSES.repeat(3, 1), BIASED)
    assert [len(images) for images, _ in spy.seen] == [1]
    assert torch.equal(filled[0::2], label[0::2]) and (weight[0::2] == 1).all()
    alone = Complement()(IMAGES, 50 * PROBABILITIES, LABEL, CLASSES, BIASED)
    assert torch.equal(filled[1:2], alone[0]) and torch.equal(weight[1:2], alone[1])
    assert torch.equal(label, given), "the label that was given is not written on"
