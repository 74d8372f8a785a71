"""RandomCrops beside the training crops of DHR, IRN and deeplab-pytorch: an image and its label to a crop.

Published and ours draw by other generators. So every crop that can be drawn from a resized image is written out: ours
has to be one of them, and over many seeds each of them.
"""

from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as pillow
from torchvision.transforms import v2

from datamodules.datasets.seeding import seeded
from datamodules.datasets.transforms import MEAN_COLOUR, RandomResize, TrainingCrop
from mars_pl.networks.normalise import Normalise
from tests.fidelity.published import crops

CROP = 24


@pytest.fixture
def pair():
    """Blobs and a label of random codes: no two crops are alike, and of odd sides no new centre falls on a border."""
    draw = np.random.default_rng(0)
    coarse = Image.fromarray(draw.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    image = np.asarray(coarse.resize((27, 21), Image.Resampling.BICUBIC))
    return image, draw.choice([0, 3, 7, 254, 255], (21, 27)).astype(np.uint8)


def drawn(crop, pair, seeds):
    """Ours: crops of an image and a label, uint8 (S, S, 3) and (S, S)."""
    image, label = torch.from_numpy(pair[0].copy()).permute(2, 0, 1), torch.from_numpy(pair[1].copy()).long()
    for seed in range(seeds):
        with seeded(seed):
            cut, cut_label, valid = crop(image, label)
        yield cut, cut_label.numpy(), valid.numpy()


def place_of(label, outcomes):
    [place] = [number for number, (_, other) in enumerate(outcomes) if np.array_equal(label, other)]
    return place


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"long_side": (30, 30)}, crops.by_long_side(21, 27, 30)),  # 23×30: padded above or below, cut left and right
        ({"long_side": (22, 22)}, crops.by_long_side(21, 27, 22)),  # 17×22: padded on all sides
        ({"scale": (1.3, 1.3)}, crops.by_scale(21, 27, 1.3)),  # 27×35: cut on all sides
    ],
)
def test_a_crop_is_one_of_dhrs_and_irns_and_each_comes_alike(options, size, pair):
    outcomes = list(crops.outcomes(*crops.resized(*pair, size), CROP))
    seen = Counter()
    for cut, label, valid in drawn(TrainingCrop(CROP, **options), pair, 12 * len(outcomes)):
        place = place_of(label, outcomes)
        seen[place] += 1
        beside = np.abs(Normalise()(cut[None].double())[0].permute(1, 2, 0).numpy() - outcomes[place][0])
        assert beside[valid].max() < 2.1 / 255 / min(crops.STD), "PIL rounds between rows and columns"
        assert (~valid).sum() == 0 or 0 < beside[~valid].max() < 0.0083, (
            "the padding's whole colour, not the mean itself"
        )
    assert len(seen) == len(outcomes) and max(seen.values()) < 30  # 12 each; 30 has a chance of 1 in 10⁵


@pytest.mark.parametrize("sides", [(375, 500), (500, 333), (500, 500), (281, 500), (486, 500)])
def test_sizes_are_the_published_ones(sides):
    image = torch.empty(3, *sides, dtype=torch.uint8)
    for long_side in range(320, 641):
        found = RandomResize(long_side=(long_side, long_side)).make_params([image])["size"]
        assert tuple(found) == crops.by_long_side(*sides, long_side)
    for factor in np.linspace(0.5, 1.5, 101).tolist():
        found = RandomResize(scale=(factor, factor)).make_params([image])["size"]
        assert tuple(found) == crops.by_scale(*sides, factor)
    for factor in (0.5, 0.75, 1.0, 1.25, 1.5):  # the deviation: deeplab-pytorch cuts
        found = RandomResize(scale_choices=[factor]).make_params([image])["size"]
        assert all(0 <= side - cut <= 1 for side, cut in zip(found, crops.by_cut_scale(*sides, factor), strict=True))


def test_a_label_is_that_of_pil():
    """Where a new centre falls on a border of two pixels, both are as near, and float errors decide in both."""
    draw = np.random.default_rng(1)
    image, label = np.zeros((375, 500, 3), np.uint8), draw.integers(0, 256, (375, 500)).astype(np.uint8)
    for long_side in range(320, 641, 40):
        crop = TrainingCrop(640, long_side=(long_side, long_side), flip=False)
        [(_, cut, valid)] = drawn(crop, (image, label), 1)
        _, wanted = crops.resized(image, label, crops.by_long_side(375, 500, long_side))
        assert (cut[valid] != wanted.ravel()).mean() < 0.005


def test_colours_change_as_dhrs_but_for_rounding(pair):
    """torchvision's ColorJitter in both, with the same draws; DHR's on a PIL image, which rounds after each step."""
    jitter, strengths = v2.ColorJitter(0.3, 0.3, 0.3, 0.1), (0.3, 0.3, 0.3, 0.1)
    apply = (pillow.adjust_brightness, pillow.adjust_contrast, pillow.adjust_saturation, pillow.adjust_hue)
    names = ("brightness_factor", "contrast_factor", "saturation_factor", "hue_factor")
    square = pair[0][:20, :20], pair[1][:20, :20]
    orders, drawn_factors, means, largest = set(), [], [], 0
    crop = TrainingCrop(20, flip=False, colour_jitter=strengths)
    for seed, (cut, _, _) in enumerate(drawn(crop, square, 200)):
        with seeded(seed):
            params = jitter.make_params([])
        orders.add(tuple(int(place) for place in params["fn_idx"]))
        drawn_factors.append([float(params[name]) for name in names])
        picture = Image.fromarray(square[0])
        for place in params["fn_idx"]:
            picture = apply[place](picture, float(params[names[place]]))
        beside = np.abs(cut.permute(1, 2, 0).numpy().astype(int) - np.asarray(picture))
        means.append(beside.mean())
        largest = max(largest, beside.max())
    assert np.mean(means) < 1 and largest <= 16
    factors = np.array(drawn_factors)
    assert (factors.min(0) > [0.7, 0.7, 0.7, -0.1]).all() and (factors.max(0) < [1.3, 1.3, 1.3, 0.1]).all()
    assert (factors.min(0) < [0.72, 0.72, 0.72, -0.09]).all() and (factors.max(0) > [1.28, 1.28, 1.28, 0.09]).all()
    assert len(orders) == 24


def deeplab_crops(pair, factor):
    """Ours at a scale with deeplab-pytorch's crop of the same label, or None where it has none."""
    size = crops.by_cut_scale(21, 27, factor)
    image, label = crops.bilinear(pair[0], size), crops.resized(*pair, size)[1]
    theirs = {codes.tobytes(): cut + crops.MEAN_RGB for cut, codes in crops.deeplab_outcomes(image, label, CROP)}
    for cut, codes, valid in drawn(TrainingCrop(CROP, scale_choices=[factor]), pair, 200):
        yield cut.permute(1, 2, 0).numpy(), valid, theirs.get(codes.astype(np.uint8).tobytes())


def test_labels_of_deeplab_pytorch_and_images_smoother_than_its_bilinear_ones(pair):
    """The deviation: ours is bicubic, with antialiasing where it gets smaller; OpenCV's bilinear has none."""
    beside = [np.abs(cut - theirs) for cut, _, theirs in deeplab_crops(pair, 1.34)]
    assert 0.5 < np.mean(beside) < 2


def test_padding_is_right_and_below_in_deeplab_pytorch(pair):
    """The deviation: ours, as DHR's and IRN's, lies wherever there is room, and has ImageNet's whole mean colour."""
    colour = np.abs(np.subtract(MEAN_COLOUR, crops.MEAN_RGB))
    shared = [each for each in deeplab_crops(pair, 1.0) if each[2] is not None]
    assert 20 < len(shared) < 120  # of 200; the image has 3 rows too few, which lie below in 1 of 4
    for cut, valid, theirs in shared:
        beside = np.abs(cut - theirs)
        assert beside[valid].max() < 1e-6 and np.allclose(beside[~valid], colour) and colour.max() < 1.4
