import numpy as np
import pytest
from pycocotools import mask

from datamodules.errors import DataError
from datamodules.prepare.coco_annotations import checked
from datamodules.prepare.coco_masks import Rule, paint
from tests.fakes.fake_coco import box

HEIGHT, WIDTH = 5, 7
ENTRY = box(1, 17, 1, 1, 3, 2)


def drawn(entry):
    return paint([checked(entry, HEIGHT, WIDTH)], HEIGHT, WIDTH, Rule("smallest", "included"))


def without(*names):
    return {name: value for name, value in ENTRY.items() if name not in names}


def test_what_tools_leave_out_is_what_it_means():
    whole = drawn(ENTRY)
    assert (whole == 16).sum() == 6
    assert np.array_equal(drawn(without("iscrowd", "area")), whole)
    assert np.array_equal(drawn(ENTRY | {"segmentation": ENTRY["segmentation"][0]}), whole), (
        "a polygon that stands alone"
    )
    assert np.array_equal(drawn(ENTRY | {"area": float("nan"), "iscrowd": None}), whole)


@pytest.mark.parametrize("segmentation", [None, [], [[]], [[], [1.0, 2.0, 3.0, 4.0]]])
def test_an_object_whose_shape_is_lost_draws_nothing(segmentation):
    assert not drawn(ENTRY | {"segmentation": segmentation}).any()
    assert not drawn(without("segmentation")).any()


def test_packed_runs_are_read_as_pycocotools_reads_them():
    chance = np.random.default_rng(0)
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        region = np.asfortranarray(chance.random((60, 90)) < share).astype(np.uint8)
        packed = mask.encode(region)
        entry = ENTRY | {"segmentation": {"size": [60, 90], "counts": packed["counts"].decode()}}
        found = paint([checked(entry, 60, 90)], 60, 90, Rule())
        assert np.array_equal(found > 0, region > 0)


@pytest.mark.parametrize(
    ("segmentation", "complaint"),
    [
        ([["a", 1, 2, 3, 4, 5]], "a polygon that is no list of x, y"),
        ([[1, 2, 3, 4, 5, 6, 7]], "a polygon that is no list of x, y"),
        ([[1, 2, 3, 4, 5, float("inf")]], "a polygon that is no list of x, y"),
        ([[1, 2, 3, 4, 5, 10**400]], "a polygon that is no list of x, y"),
        ([1.0, [2.0]], "a polygon that is no list of x, y"),
        (5, "a segmentation of int"),
        ({"size": [4, 4], "counts": [16]}, r"runs of size \[4, 4\], its image has 5×7"),
        ({"size": [5, 7], "counts": [36]}, "runs over 36 pixels, its image has 35"),
        ({"size": [5, 7], "counts": [-1, 36]}, "runs whose counts are no whole numbers"),
        ({"size": [5, 7], "counts": 3}, "runs whose counts are no whole numbers"),
        ({"size": [5, 7], "counts": "é"}, "packed in another way"),
        ({"size": [5, 7], "counts": "o" * 99}, "packed in another way"),
        ({"size": [5, 7], "counts": "o"}, "in the midst of a number"),
        ({"size": [5, 7], "counts": "PPPP1oo0"}, "runs over"),
    ],
)
def test_what_cannot_be_drawn_is_told(segmentation, complaint):
    with pytest.raises(DataError, match=complaint):
        checked(ENTRY | {"segmentation": segmentation}, HEIGHT, WIDTH)


@pytest.mark.parametrize("category", [None, "17", 12, [17], {"id": 17}, 10**400])
def test_what_is_no_category_is_told(category):
    with pytest.raises(DataError, match="is none of COCO's 80; is it another data set"):
        checked(ENTRY | {"category_id": category}, HEIGHT, WIDTH)


def test_an_area_beyond_any_image_is_counted_instead():
    assert checked(ENTRY | {"area": 10**400}, HEIGHT, WIDTH)["area"] is None
