import pytest
import torch

from mars_pl.refine.protocol import Refine
from mars_pl.segment.dhr.rebalancing import Rebalancing

SIZE, GRID = 16, 8


class Spy(Refine):
    """Leaves what it gets and remembers it."""

    def __init__(self):
        self.seen = []

    def __call__(self, images, probabilities):
        self.seen.append(probabilities.clone())
        return probabilities


def make_batch(count=1):
    """Images of a background left and class 1 right, which features tell apart; class 2 is in the image too."""
    features = torch.zeros(count, 2, GRID, GRID)
    features[:, 0, :, : GRID // 2] = 1
    features[:, 1, :, GRID // 2 :] = 1
    label = torch.zeros(count, SIZE, SIZE, dtype=torch.long)
    label[:, :, SIZE // 2 :] = 1
    images = torch.zeros(count, 3, SIZE, SIZE, dtype=torch.uint8)
    scores = torch.full((count, 2, 4, 4), -1.0)
    return [images, label, torch.tensor([[1.0, 1.0]] * count), scores, features, [features, features]]


def test_what_features_tell_apart_is_found_again_from_a_part_of_it():
    batch = make_batch()
    truth = batch[1].clone()
    batch[1][:, 4:] = 255
    sown, online = Rebalancing()(*batch)
    assert torch.equal(online, truth)
    assert torch.equal(sown, batch[1])


def test_a_wrong_corner_of_the_label_is_put_right():
    batch = make_batch()
    truth = batch[1].clone()
    batch[1][:, :4, :4] = 1
    assert torch.equal(Rebalancing()(*batch)[1], truth)


def test_seeds_bring_back_a_class_that_the_label_has_lost():
    batch = make_batch()
    batch[3][:, 1, :2, 3] = 4.0  # class 2, top right
    batch[3][:, 0, :, 2] = 4.0
    for where, classes in (("everywhere", {0, 1, 2}), ("vanished", {0, 1, 2}), ("nowhere", {0, 1})):
        sown, online = Rebalancing(seeds=where)(*batch)
        assert set(sown.unique().tolist()) == classes
        assert set(online.unique().tolist()) <= classes
    sown, _ = Rebalancing()(*batch)
    assert (sown[0, :8, 12:] == 2).all()
    assert (sown[0, :, :8] == 0).all()


def test_without_the_rest_an_image_of_one_class_is_that_class_everywhere_as_published():
    batch = make_batch()
    batch[2] = torch.tensor([[1.0, 0.0]])
    batch[3][:, 0, 0, 3] = 4.0
    assert (Rebalancing(seed_rest=False)(*batch)[0] == 1).all()
    sown, _ = Rebalancing()(*batch)
    assert (sown[0, :4, 12:] == 1).all()
    assert (sown[0, :, :8] == 0).all()


def test_padding_stays_as_it_was_and_takes_no_part():
    batch = make_batch()
    valid = torch.ones(1, SIZE, SIZE, dtype=torch.bool)
    valid[:, 12:] = False
    batch[1][~valid] = 255
    batch[4][..., 6:, :] = 7.0
    spy = Spy()
    sown, online = Rebalancing(spy)(*batch, valid)
    assert (online[:, 12:] == 255).all() and (sown[:, 12:] == 255).all()
    assert torch.equal(online[:, :12], make_batch()[1][:, :12])
    assert all(maps.shape[-2:] == (12, 16) for maps in spy.seen)


def test_a_crop_of_unknown_pixels_stays_unknown_and_the_others_are_made():
    batch = make_batch(2)
    batch[1][0] = 255
    online = Rebalancing()(*batch)[1]
    assert (online[0] == 255).all()
    assert torch.equal(online[1], batch[1][1])


def test_images_are_refined_together_twice_and_classes_share_each_pixel():
    spy = Spy()
    Rebalancing(spy)(*make_batch(2))
    assert [maps.shape for maps in spy.seen] == [(2, 3, SIZE, SIZE)] * 2
    assert all(torch.allclose(maps.sum(dim=1), torch.ones(())) for maps in spy.seen)
    spy.seen.clear()
    Rebalancing(spy, seeds="nowhere")(*make_batch(2))
    assert len(spy.seen) == 1


def test_an_image_alone_has_the_label_that_it_has_in_a_batch():
    batch = make_batch(3)
    generator = torch.Generator().manual_seed(0)
    batch[4] = torch.rand(3, 5, GRID, GRID, generator=generator)
    batch[3] = torch.randn(3, 2, 4, 4, generator=generator)
    together = Rebalancing()(*batch)[1]
    alone = [part[1:2] if isinstance(part, torch.Tensor) else [layer[1:2] for layer in part] for part in batch]
    assert torch.equal(Rebalancing()(*alone)[1][0], together[1])


def test_even_masses_grow_a_small_object_and_those_of_the_label_do_not():
    batch = make_batch()
    generator = torch.Generator().manual_seed(0)
    batch[4] = torch.rand(1, 8, GRID, GRID, generator=generator) + 0.5
    batch[4][:, :, :2, :2] += torch.tensor([1.0, 0, 0, 0, 0, 0, 0, 0])[:, None, None]
    batch[1][:] = 0
    batch[1][:, :4, :4] = 1
    sizes = {mass: (Rebalancing(seeds="nowhere", mass=mass)(*batch)[1] == 1).sum() for mass in ("even", "label")}
    assert sizes["label"] < sizes["even"]


@pytest.mark.parametrize(("setting", "value"), [("seeds", "some"), ("mass", "odd")])
def test_rules_that_are_none_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting}: one of .* not '{value}'"):
        Rebalancing(**{setting: value})
