import pytest
import torch

from mars_pl.debias.kinds.two_kinds import FEWEST, Kinds, TwoKinds
from tests.debias.kinds.worlds import COMPANION, GROUND, LEGS, OBJECT, around, sample_of, world


def test_a_companion_that_is_background_elsewhere_is_the_near_kind():
    numbers, classes, vectors = world(COMPANION)
    kinds = TwoKinds().find(sample_of((numbers, classes, vectors)), "minimum")
    assert kinds.parted.tolist() == [False, True]
    assert kinds.nearness[1, 0] < 0.05 and kinds.nearness[1, 1] > 0.2 and kinds.effect[1] > 2
    foreground = classes == 1
    near = kinds.near(classes[foreground], vectors[foreground])
    assert near.tolist() == [False, True] * 20  # object, companion


def test_an_object_of_two_parts_loses_nothing():
    """Legs and body part as well as object and companion do, but neither looks like background."""
    numbers, classes, vectors = world(LEGS)
    kinds = TwoKinds(effect=1e9).find(sample_of((numbers, classes, vectors)), "minimum")
    assert not kinds.parted.any() and not kinds.axes.any()
    assert (kinds.nearness[1] < 0.1).all()
    assert not kinds.near(classes, vectors).any()


def test_background_of_images_that_show_the_class_is_not_asked():
    """Else a companion that the labels missed in some of them would look like background, and so would an object."""
    numbers, classes, vectors = world(LEGS, elsewhere=GROUND)
    vectors[(classes == 0) & (numbers % 2 == 1)] = around(LEGS, 40, torch.Generator().manual_seed(3))
    assert TwoKinds().find(sample_of((numbers, classes, vectors)), "minimum").nearness[1].max() < 0.1


def test_kinds_far_apart_part_a_class_though_neither_is_background():
    assert TwoKinds(companion=2.0, effect=2.0).find(sample_of(world(COMPANION)), "minimum").parted[1]
    assert not TwoKinds(companion=2.0, effect=1e9).find(sample_of(world(COMPANION)), "minimum").parted[1]


@pytest.mark.parametrize("images", [4, 2 * FEWEST])
def test_a_class_of_few_candidates_is_not_parted(images):
    kinds = TwoKinds().find(sample_of(world(COMPANION, images=images)), "minimum")
    assert bool(kinds.parted[1]) == (images >= FEWEST)
    assert bool(kinds.effect[1].isnan()) == (images < FEWEST)


def test_what_cannot_be_measured_is_not_parted():
    numbers, classes, vectors = world(COMPANION)
    everywhere = numbers % 2 == 1  # no image without the class
    kinds = TwoKinds().find(sample_of((numbers[everywhere], classes[everywhere], vectors[everywhere])), "minimum")
    assert not kinds.parted.any() and kinds.effect.isnan().all()
    one = vectors.clone()
    one[classes == 1] = OBJECT  # no second centroid
    assert not TwoKinds().find(sample_of((numbers, classes, one)), "minimum").parted.any()
    one[classes == 1] = torch.nan
    assert not TwoKinds().find(sample_of((numbers, classes, one)), "minimum").parted.any()


def test_a_sample_finds_the_same_kinds():
    numbers, classes, vectors = world(COMPANION, images=400)
    few, all_of_them = (TwoKinds().find(sample_of((numbers, classes, vectors), most), "minimum") for most in (60, 1000))
    assert torch.equal(few.near(classes, vectors), all_of_them.near(classes, vectors))


def test_the_selection_by_hand():
    unknown = torch.zeros(3)
    kinds = Kinds(torch.tensor([False, True, False]), unknown, unknown, unknown, unknown, unknown)
    classes = torch.tensor([1, 1, 1, 1, 1, 2, 2, 2])
    distances = torch.tensor([0.9, 0.5, 0.5, 0.8, 0.1, 0.1, 0.2, 0.3]).double()
    near = torch.tensor([True, False, False, False, True, False, False, False])

    def selected(alpha):
        return kinds.select(classes, distances, near, alpha).nonzero().flatten().tolist()

    assert selected(1.0) == [1, 2, 3, 5, 6, 7]  # all of the far kind; all of the class that is not parted
    assert selected(0.4) == [1, 3, 5, 6, 7]  # ⌈.4 · 5⌉ = 2, the earlier of two alike
    assert selected(0.1) == [3, 5, 6, 7]


@pytest.mark.parametrize("name", ["most", "targets", "biased", "background"])
def test_nothing_cannot_be_asked_for(name):
    with pytest.raises(ValueError, match="1 candidate and 1 centroid at least, got"):
        TwoKinds(**{name: 0})


@pytest.mark.parametrize(("distance", "wanted"), [("mean", OBJECT), ("minimum", COMPANION), ("nearest", COMPANION)])
def test_the_distance_of_equation_1_says_which_kind_is_near(distance, wanted):
    """One missed object among much ground, which the companion resembles a little: the mean passes the object over."""
    numbers, classes, vectors = world(COMPANION, elsewhere=GROUND)
    draw = torch.Generator().manual_seed(5)
    companions = (classes == 1) & torch.tensor([False, *(classes[:-1] == 1).tolist()]) & (numbers % 2 == 1)
    vectors[companions] = around(COMPANION + 0.5 * GROUND, int(companions.sum()), draw)
    vectors[:2] = OBJECT  # of an image without the class
    kinds = TwoKinds(companion=0.0).find(sample_of((numbers, classes, vectors)), distance, 2)
    target = torch.stack([OBJECT, COMPANION])[
        kinds.near(torch.tensor([1, 1]), torch.stack([OBJECT, COMPANION])).logical_not()
    ]
    assert torch.equal(target, wanted[None])
