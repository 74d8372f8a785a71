"""Pasting objects between images: which pixels go, what goes with them, and what stays."""

import pytest
import torch

from mars_pl.segment.mixing import Mixing

IGNORE = 255


def batch(size=3):
    """One row of four pixels an image: background, an object of the image's own class, biased-and-ignored, the same."""
    images = torch.stack([torch.full((3, 1, 4), 10 * (index + 1) % 256, dtype=torch.uint8) for index in range(size)])
    label = torch.stack([torch.tensor([[0, index + 1, IGNORE, index + 1]]) for index in range(size)])
    return images, label


def test_an_object_goes_onto_the_next_image_with_its_label_and_nothing_else_does():
    images, label = batch()
    mixed, learnt, weight = Mixing(share=1.0)(images, label, None, IGNORE)
    assert weight is None
    for index, before in ((0, 2), (1, 0), (2, 1)):
        own, theirs = 10 * (index + 1), 10 * (before + 1)
        assert mixed[index, :, 0].tolist() == [[own, theirs, own, theirs]] * 3
        assert learnt[index].tolist() == [[0, before + 1, IGNORE, before + 1]]
    again, labels = batch()
    assert torch.equal(images, again) and torch.equal(label, labels), "what was given stays as it is"


def test_what_a_teacher_filled_in_doubt_is_not_pasted_and_weights_go_with_their_pixels():
    images, label = batch(2)
    weight = torch.tensor([[[1.0, 1.0, 1.0, 0.4]], [[0.3, 0.2, 1.0, 1.0]]])
    mixed, learnt, weighed = Mixing(share=1.0)(images, label, weight, IGNORE)
    assert learnt.tolist() == [[[0, 1, IGNORE, 2]], [[0, 1, IGNORE, 2]]]
    assert mixed[:, 0, 0].tolist() == [[10, 10, 10, 20], [20, 10, 20, 20]]
    assert torch.allclose(weighed, torch.tensor([[[1.0, 1.0, 1.0, 1.0]], [[0.3, 1.0, 1.0, 1.0]]]))


def test_a_chance_of_none_and_a_batch_of_one_leave_everything_as_it_is():
    for size, share in ((3, 0.0), (1, 1.0)):
        images, label = batch(size)
        mixed, learnt, _ = Mixing(share)(images, label, None, IGNORE)
        assert torch.equal(mixed, images) and torch.equal(learnt, label)


def test_the_share_of_images_is_pasted_on_and_the_seed_says_which():
    images, label = batch(400)

    def pasted():
        torch.manual_seed(5)
        return (Mixing(0.25)(images, label, None, IGNORE)[1] != label).flatten(1).any(1)

    assert torch.equal(pasted(), pasted())
    assert 0.18 < pasted().float().mean() < 0.32


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_no_chance_is_refused(share):
    with pytest.raises(ValueError, match="share: a chance from 0 to 1, not"):
        Mixing(share)
