import numpy as np
import pytest

from datamodules.files.class_names import CLASS_NAMES
from datamodules.prepare.coco_masks import CLASS_OF, Rule, paint
from tests.fakes.fake_coco import box, crowd

LARGE, SMALL = box(1, 1, 0, 0, 4, 3), box(1, 90, 2, 1, 3, 2)
"""A person of 12 pixels and a toothbrush of 6, which share four."""

PERSON, BRUSH = CLASS_OF[1], CLASS_OF[90]


def test_the_classes_are_cocos_without_its_gaps():
    names = CLASS_NAMES["coco"]
    assert len(names) == 81
    assert [names[CLASS_OF[category]] for category in (1, 12 + 1, 17, 44, 90)] == [
        "person",
        "stop sign",
        "cat",
        "bottle",
        "toothbrush",
    ]


@pytest.mark.parametrize(
    ("order", "overlap", "winner"),
    [
        ([LARGE, SMALL], "later", BRUSH),
        ([SMALL, LARGE], "later", PERSON),
        ([LARGE, SMALL], "smallest", BRUSH),
        ([SMALL, LARGE], "smallest", BRUSH),
    ],
)
def test_who_wins_an_overlap(order, overlap, winner):
    label = paint(order, 4, 6, Rule(overlap))
    assert label.dtype == np.uint8
    expected = np.zeros((4, 6), int)
    expected[0:3, 0:4] = PERSON
    expected[1:3, 2:5] = BRUSH
    expected[1:3, 2:4] = winner
    assert label.tolist() == expected.tolist()


def test_of_two_of_one_size_the_first_is_the_smaller():
    one, other = box(1, 1, 0, 0, 2, 2), box(1, 17, 1, 0, 2, 2)
    assert paint([one, other], 2, 3, Rule("smallest"))[0].tolist() == [1, 1, 16]
    assert paint([one, other], 2, 3, Rule("later"))[0].tolist() == [1, 16, 16]


def test_crowds_are_left_out_or_drawn():
    there = [crowd(1, 1, 3, 5), LARGE]
    assert paint(there, 3, 5, Rule())[0].tolist() == [1, 1, 1, 1, 0]
    assert paint(there, 3, 5, Rule(crowd="included"))[0].tolist() == [1, 1, 1, 1, 1]


def test_polygons_in_parts_runs_and_nothing_at_all():
    parts = box(1, 1, 0, 0, 1, 2)
    parts["segmentation"] += box(1, 1, 3, 0, 1, 2)["segmentation"]
    assert paint([parts], 2, 5, Rule())[0].tolist() == [1, 0, 0, 1, 0]
    runs = {**SMALL, "segmentation": {"size": [2, 3], "counts": [2, 2, 1, 1]}}
    assert paint([runs], 2, 3, Rule()).tolist() == [[0, 80, 0], [0, 80, 80]]
    assert not paint([{**SMALL, "segmentation": []}], 2, 3, Rule()).any()
    assert not paint([], 2, 3, Rule()).any()
