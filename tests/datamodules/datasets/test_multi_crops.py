from __future__ import annotations

import pytest
import torch

from datamodules.datasets import multi_crops
from datamodules.datasets.multi_crops import MultiCrop, MultiCrops, MultiCropViews, common_area
from datamodules.errors import DataError
from datamodules.files.tree import Tree
from datamodules.voc import VOC
from tests.fakes.fake_tree import make_voc_tree

PLAIN = {"strength": 0.0, "grey": 0.0, "blur": 0.0}


@pytest.fixture
def ramp():
    """An image whose red says the column and whose green the row."""
    image = torch.zeros(3, 120, 160, dtype=torch.uint8)
    image[0], image[1] = torch.arange(160), torch.arange(120)[:, None]
    return image


def test_two_large_and_four_small_crops_and_their_boxes(ramp):
    large, small, boxes = MultiCrop(48, 24)(ramp)
    assert large.shape == (2, 3, 48, 48) and small.shape == (4, 3, 24, 24) and boxes.shape == (6, 4)
    assert large.dtype == small.dtype == torch.uint8 and boxes.dtype == torch.float32


def test_a_box_says_where_its_crop_was_cut(ramp):
    torch.manual_seed(0)
    large, small, boxes = MultiCrop(40, 20, **PLAIN)(ramp)
    for crop, (left, top, right, bottom) in zip([*large, *small], boxes.tolist(), strict=True):
        assert 0 <= left < right <= 160 and 0 <= top < bottom <= 120
        assert crop[0].float().mean() == pytest.approx((left + right - 1) / 2, abs=1.5)
        assert crop[1].float().mean() == pytest.approx((top + bottom - 1) / 2, abs=1.5)


def test_areas_stay_in_their_range_and_every_crop_meets_the_large_ones(ramp):
    crop = MultiCrop(16, 16, local_crops=2, global_scale=(0.2, 0.3), local_scale=(0.06, 0.1), common=0.03, **PLAIN)
    for seed in range(40):
        torch.manual_seed(seed)
        boxes = crop(ramp)[2]
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / (120 * 160)
        assert ((areas[:2] > 0.19) & (areas[:2] < 0.31)).all()
        assert ((areas[2:] > 0.055) & (areas[2:] < 0.105)).all()
        assert common_area(boxes[0], boxes[1]) > 0.06 * 120 * 160
        assert min(common_area(boxes[k], boxes[g]) for k in (2, 3) for g in (0, 1)) > 0.03 * 120 * 160


def test_common_area_by_hand():
    box = torch.tensor([0.0, 0.0, 10.0, 10.0])
    assert common_area(box, torch.tensor([6.0, 8.0, 20.0, 20.0])) == 8
    assert common_area(box, torch.tensor([12.0, 0.0, 20.0, 10.0])) == 0


def test_each_crop_has_colours_of_its_own():
    torch.manual_seed(0)
    image = torch.tensor([200, 80, 40], dtype=torch.uint8).view(3, 1, 1).expand(3, 60, 60)
    large, small, _ = MultiCrop(20, 12, blur=0.0)(image)
    colours = {tuple(crop[:, 5, 5].tolist()) for crop in [*large, *small]}
    assert len(colours) > 3
    large, small, _ = MultiCrop(20, 12, **PLAIN)(image)
    assert {tuple(crop[:, 5, 5].tolist()) for crop in [*large, *small]} == {(200, 80, 40)}


def test_no_small_crops(ramp):
    large, small, boxes = MultiCrop(16, local_crops=0)(ramp)
    assert (len(large), len(small), len(boxes)) == (2, 0, 2)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"local_scale": (0.005, 0.2)}, "local_scale"), ({"global_scale": (0.5, 1.2)}, "global_scale"),
     ({"common": 0.2}, "global_scale"), ({"local_scale": (0.2, 0.1)}, "local_scale")],
)  # fmt: skip
def test_crops_that_could_never_meet_are_refused(options, word):
    with pytest.raises(DataError, match=rf"data\.training_set\.{word}"):
        MultiCrop(**options)


def test_a_search_without_end_ends(ramp, monkeypatch):
    monkeypatch.setattr(multi_crops, "common_area", lambda first, second: 0.0)
    with pytest.raises(DataError, match=r"no crop 1 meets the large ones in 0\.020"):
        MultiCrop(16, 16)(ramp)


def test_crops_repeat_by_seed_epoch_and_index(tmp_path):
    tree, ids = Tree(tmp_path), make_voc_tree(tmp_path, 3)

    def boxes(seed, epoch, index):
        return MultiCrops(tree, ids, MultiCrop(16, 16), seed)[epoch, index]["crop_boxes"]

    state = torch.random.get_rng_state()
    first = MultiCrops(tree, ids, MultiCrop(16, 16), 5)[1, 2]
    again = MultiCrops(tree, ids, MultiCrop(16, 16), 5)[1, 2]
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first["id"] == ids[2] and set(first) == {"id", "global_crops", "local_crops", "crop_boxes"}
    assert all(torch.equal(first[key], again[key]) for key in ("global_crops", "local_crops", "crop_boxes"))
    assert not any(torch.equal(first["crop_boxes"], boxes(*key)) for key in ((6, 1, 2), (5, 0, 2), (5, 1, 1)))


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent\.jpg"):
        MultiCrops(Tree(tmp_path), ["absent"], MultiCrop(16, 16))[0, 0]


def voc(root, **options):
    return VOC(str(root), image_labels="none", validate_split=None, batch_size=2, workers=0, **options)


def test_a_fit_without_labels_or_truth_has_batches_of_crops(tmp_path):
    make_voc_tree(tmp_path, 4, image_labels="none")
    data = voc(tmp_path, training_set=MultiCropViews(global_size=16, local_size=12, local_crops=3))
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch["global_crops"].shape == (2, 2, 3, 16, 16) and batch["local_crops"].shape == (2, 3, 3, 12, 12)
    assert batch["crop_boxes"].shape == (2, 5, 4) and len(batch["id"]) == 2


def test_a_batch_larger_than_the_list_is_refused(tmp_path):
    make_voc_tree(tmp_path, 2)
    with pytest.raises(DataError, match=r"a batch of 2 is more than 1 image gives"):
        voc(tmp_path, training_set=MultiCropViews()).setup("fit")
