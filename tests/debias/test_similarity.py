import math

import pytest
import torch
from torch.nn import functional as F

from mars_pl.debias import similarity as module
from mars_pl.debias.similarity import debiased_label, debiased_map, debiased_mask, lifted, mask_probabilities

GREY = torch.zeros(3, 1, 4, dtype=torch.uint8)


def features(*cells):
    """A row of cells: (D, 1, n)."""
    return torch.tensor(cells).T[:, None]


def test_equation_4_by_hand():
    row = features([3.0, 0.0], [0.0, 2.0], [1.0, 1.0], [-1.0, -1.0])
    one = debiased_map(row, torch.tensor([[5.0, 0.0]]), (1, 4))
    assert one[0].tolist() == pytest.approx([1.0, 0.0, math.sqrt(0.5), 0.0])  # the last is cut off at 0
    two = debiased_map(row, torch.tensor([[5.0, 0.0], [0.0, 0.1]]), (1, 4))
    assert two[0].tolist() == pytest.approx([1.0, 1.0, math.sqrt(0.5), 0.0])


def test_features_are_upsampled_before_the_cosine():
    row = features([4.0, 0.0], [0.0, 1.0])
    # Pixels 1 and 2 of 4 lie ¼ and ¾ of the way: (3, .25) and (1, .75).
    wanted = [1.0, 3 / math.hypot(3, 0.25), 1 / math.hypot(1, 0.75), 0.0]
    centroid = torch.tensor([[1.0, 0.0]])
    assert debiased_map(row, centroid, (1, 4))[0].tolist() == pytest.approx(wanted)
    cheap = debiased_map(row, centroid, (1, 4), upsample="similarity")
    assert cheap[0].tolist() == pytest.approx([1.0, 0.75, 0.25, 0.0])


@pytest.mark.parametrize("size", [(37, 53), (5, 6), (3, 2)])
@pytest.mark.parametrize("block", [1, 700, 2**24])
def test_row_blocks_do_not_show(size, block, monkeypatch):
    maps = torch.randn(8, 5, 6, generator=torch.Generator().manual_seed(0))
    centroids = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    upsampled = F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]
    wanted = F.cosine_similarity(upsampled[None], centroids[:, :, None, None], dim=1).amax(dim=0).relu()
    monkeypatch.setattr(module, "BLOCK_VALUES", block)
    assert torch.allclose(debiased_map(maps, centroids, size), wanted, atol=1e-5)


def test_an_image_without_classes_has_no_object():
    assert not debiased_map(torch.ones(4, 2, 2), torch.zeros(0, 4), (6, 6)).any()


def test_the_map_is_spread_only_when_asked_for():
    row = features([1.0, 0.0], [1.0, 1.0])
    centroid = torch.tensor([[1.0, 0.0]])
    assert debiased_map(row, centroid, (1, 2), normalise=True)[0].tolist() == [1.0, 0.0]
    even = debiased_map(features([1.0, 1.0], [1.0, 1.0]), centroid, (1, 2), normalise=True)
    assert even[0].tolist() == pytest.approx([math.sqrt(0.5)] * 2)


def test_a_class_that_its_region_hardly_shows_is_lifted_and_others_stay():
    maps = torch.tensor([[[0.1, 0.2, 0.3, 0.9]], [[0.7, 0.1, 0.0, 0.0]], [[0.2, 0.2, 0.2, 0.2]]])
    regions = torch.tensor([[[True, True, True, False]], [[True, True, False, False]], [[False] * 4]])
    found = lifted(maps, regions, least=0.6, quantile=1.0)
    assert found[0, 0].tolist() == pytest.approx([0.2, 0.4, 0.6, 1.0]), "the .3 of its region reaches .6"
    assert torch.equal(found[1:], maps[1:]), "one reaches .7 anyway, and one has no region"
    half = lifted(maps, regions, least=0.6, quantile=0.5)
    assert half[0, 0].tolist() == pytest.approx([0.3, 0.6, 0.9, 1.0]), "the second of three"
    assert half[1, 0].tolist() == pytest.approx([1.0, 0.6, 0.0, 0.0]), "the lower of two"


def test_what_is_unlike_the_class_altogether_is_no_object_for_being_lifted():
    maps, region = torch.tensor([[[0.0, 0.005]]]), torch.ones(1, 1, 2, dtype=torch.bool)
    assert lifted(maps, region, least=0.6, quantile=1.0)[0, 0].tolist() == pytest.approx([0.0, 0.06])


@pytest.mark.parametrize("upsample", ["features", "similarity"])
def test_lifting_is_done_for_each_class_before_the_largest_is_taken(upsample):
    row = features([1.0, 3.0], [3.0, 0.0])
    centroids, regions = torch.eye(2), torch.tensor([[[True, False]], [[False, False]]])
    plain = debiased_map(row, centroids, (1, 2), upsample=upsample)
    assert plain[0].tolist() == pytest.approx([3 / math.hypot(1, 3), 1.0])
    options = {"upsample": upsample, "regions": regions, "lift_quantile": 1.0}
    assert torch.equal(debiased_map(row, centroids, (1, 2), lift=0.0, **options), plain)
    only = debiased_map(row, centroids[:1], (1, 2), upsample=upsample, regions=regions[:1], lift=0.6)
    assert only[0].tolist() == pytest.approx([0.6, 1.0])
    both = debiased_map(row, centroids, (1, 2), lift=0.6, **options)
    assert torch.equal(both, plain), "the second class is nearer there"


def test_features_of_another_kind_are_an_error():
    with pytest.raises(ValueError, match="features have 4 channels, centroids 3"):
        debiased_map(torch.ones(4, 2, 2), torch.ones(1, 3), (2, 2))


def test_half_precision_around_does_not_move_the_map():
    maps = torch.randn(8, 5, 6, generator=torch.Generator().manual_seed(0))
    centroids = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    wanted = debiased_map(maps, centroids, (20, 20))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(debiased_map(maps, centroids, (20, 20)), wanted)


def test_two_labels_sum_to_one():
    probabilities = mask_probabilities(torch.tensor([[0.0, 0.5, 1.0]]))
    assert torch.allclose(probabilities, torch.tensor([[[1.0, 1 / 3, 0.0]], [[0.0, 2 / 3, 1.0]]]))


def test_the_plain_cut_lies_where_both_labels_are_even():
    golden = (3 - math.sqrt(5)) / 2  # (1 − M)² = M
    row = torch.tensor([[golden - 1e-4, golden + 1e-4, 0.49, 0.5]])
    assert debiased_mask(row, GREY).tolist() == [[False, True, True, True]]
    assert debiased_mask(row, GREY, exponent=1.0).tolist() == [[False, False, False, True]]  # even is kept


def test_the_refinement_decides_where_there_is_one():
    seen = {}

    def swap(images, probabilities):
        seen.update(images=images.shape, probabilities=probabilities)
        return probabilities.flip(1)

    row = torch.tensor([[0.0, 0.2, 0.8, 1.0]])
    assert debiased_mask(row, GREY, refine=swap).tolist() == [[True, True, False, False]]
    assert seen["images"] == (1, 3, 1, 4)
    assert torch.allclose(seen["probabilities"].sum(dim=1), torch.ones(1, 1, 4))


def test_equation_5_marks_only_foreground_outside_the_mask():
    label = torch.tensor([[0, 1, 2, 255, 254], [0, 1, 2, 255, 254]])
    mask = torch.tensor([[True] * 5, [False] * 5])
    debiased = debiased_label(label, mask, biased_index=254, ignore_index=255)
    assert debiased.tolist() == [[0, 1, 2, 255, 254], [0, 254, 254, 255, 254]]
    small = debiased_label(label.to(torch.uint8), mask, biased_index=254, ignore_index=255)
    assert small.dtype == torch.uint8
    assert small.tolist() == debiased.tolist()


def test_a_whole_class_loses_nothing():
    label = torch.tensor([[0, 1, 2, 3, 255]])
    nowhere = torch.zeros(1, 5, dtype=torch.bool)
    debiased = debiased_label(label, nowhere, biased_index=254, ignore_index=255, whole=(0, 1, 3))
    assert debiased.tolist() == [[0, 1, 254, 3, 255]]
