import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from datamodules.datasets.hsv_jitter import HSVJitter
from datamodules.datasets.seeding import seeded
from datamodules.datasets.transforms import MEAN_COLOUR, RandomResize, TrainingCrop


def gradient(height, width):
    """An image whose red and green are its rows and columns, and a label that says the same."""
    rows = torch.arange(height).view(-1, 1).expand(height, width)
    columns = torch.arange(width).expand(height, width)
    return torch.stack([rows, columns, torch.full_like(rows, 200)]).to(torch.uint8), rows * 256 + columns


def test_image_and_label_are_cut_alike():
    image, label = gradient(60, 80)
    for seed in range(20):
        with seeded(seed):
            crop, cut, valid = TrainingCrop(32)(image, label)
        assert valid.all()
        assert crop.dtype == torch.uint8
        assert cut.dtype == torch.int64
        assert torch.equal(crop[0].long(), cut // 256)
        assert torch.equal(crop[1].long(), cut % 256)


def test_flips_happen_and_can_be_left_out():
    image, label = gradient(20, 20)

    def mirrored(flip):
        results = []
        for seed in range(40):
            with seeded(seed):
                results.append(bool(TrainingCrop(20, flip=flip)(image, label)[0][1, 0, 0] == 19))
        return sum(results)

    assert 8 < mirrored(True) < 32
    assert mirrored(False) == 0


def test_padding_is_mean_colour_255_and_invalid():
    image, label = gradient(10, 30)
    image, label = image.clamp(max=50), torch.zeros_like(label)
    crop, cut, valid = TrainingCrop(24)(image, label)
    assert crop.shape == (3, 24, 24)
    assert 0 < int(valid.sum()) <= 10 * 24
    assert torch.equal(cut == 255, ~valid)
    assert (torch.tensor(MEAN_COLOUR) == crop[:, ~valid].T).all()
    assert set(cut[valid].tolist()) == {0}


def test_codes_254_and_255_stay_and_no_code_is_made_up():
    label = torch.tensor([0, 3, 254, 255])[torch.randint(4, (50, 40), generator=torch.Generator().manual_seed(0))]
    image = torch.zeros(3, 50, 40, dtype=torch.uint8)
    _, cut, _ = TrainingCrop(64, long_side=(80, 80))(image, label)
    assert set(cut.unique().tolist()) == {0, 3, 254, 255}


@pytest.mark.parametrize("long_side", [30, 48, 160])
def test_a_label_goes_where_the_image_goes(long_side):
    """Rows and columns are smooth in the image, so that a pixel says where it was taken from."""
    image, label = gradient(40, 64)
    resize = RandomResize(long_side=(long_side, long_side))
    smooth, cut = resize(tv_tensors.Image(image), tv_tensors.Mask(label))
    size = (round(40 * long_side / 64), long_side)
    assert cut.shape == size and cut.dtype == label.dtype
    rows, columns = ((2 * torch.arange(new) + 1) * old // (2 * new) for old, new in zip((40, 64), size, strict=True))
    assert torch.equal(cut, label[rows][:, columns])
    inside = (slice(4, -4), slice(4, -4))  # bicubic bends at the border
    for channel, code in ((0, cut // 256), (1, cut % 256)):
        beside = (code - smooth[channel].long())[inside].float()
        assert beside.abs().max() <= 1 and beside.mean().abs() < 0.3, "torchvision's own way lies .5 up and left"


def test_several_maps_and_codes_of_16_bits_are_resized_as_one_label_is():
    label = torch.tensor([0, 300, 65534, 65535])[torch.randint(4, (9, 14), generator=torch.Generator().manual_seed(0))]
    resize = RandomResize(long_side=(33, 33))
    one = resize(tv_tensors.Mask(label))
    assert set(one.unique().tolist()) == {0, 300, 65534, 65535}
    both = resize(tv_tensors.Mask(torch.stack([label, 65535 - label])))
    assert torch.equal(both[0], one) and torch.equal(both[1], 65535 - one)


def test_without_label():
    _, label, valid = TrainingCrop(16)(torch.zeros(3, 20, 20, dtype=torch.uint8))
    assert label is None
    assert valid.shape == (16, 16)


def test_long_side_reaches_both_ends_and_keeps_proportion():
    seen = set()
    for seed in range(60):
        with seeded(seed):
            height, width = RandomResize(long_side=(40, 43))(torch.zeros(3, 30, 60)).shape[-2:]
        assert height == round(width / 2)
        seen.add(width)
    assert seen == {40, 41, 42, 43}


def test_scale_stays_in_its_range():
    seen = []
    for seed in range(60):
        with seeded(seed):
            height, width = RandomResize(scale=(0.5, 1.5))(torch.zeros(3, 100, 200)).shape[-2:]
        assert abs(width - 2 * height) <= 1
        seen.append(height)
    assert 50 <= min(seen) < 65
    assert 135 < max(seen) <= 150


def test_scales_are_chosen_from_all_of_them_and_nothing_between():
    seen = set()
    for seed in range(40):
        with seeded(seed):
            seen.add(tuple(RandomResize(scale_choices=[0.5, 0.75, 1.5])(torch.zeros(3, 40, 80)).shape[-2:]))
    assert seen == {(20, 40), (30, 60), (60, 120)}


def test_hsv_jitter_is_one_of_the_crops_steps():
    image, label = gradient(40, 40)
    with seeded(3):
        changed, cut, _ = TrainingCrop(40, flip=False, hsv_jitter=(10, 10, 10))(image, label)
    assert not torch.equal(changed, image) and torch.equal(cut, label)


def test_hsv_shifts_come_before_the_resizing():
    """A shift by hand of the whole image, then the same resizing: overshoots of bicubic are not clamped twice."""
    image, _ = gradient(40, 40)
    crop = TrainingCrop(60, flip=False, scale=(1.5, 1.5), hsv_jitter=(0, 200, 200))
    with seeded(3):
        jittered = HSVJitter(0, 200, 200)(tv_tensors.Image(image))
    with seeded(3):
        cut, _, _ = crop(image)
    expected = F.resize(jittered, [60, 60], interpolation=InterpolationMode.BICUBIC, antialias=True)
    assert torch.equal(cut, expected)


def test_colours_change_within_the_image_only():
    image, label = gradient(40, 40)
    changed, cut, _ = TrainingCrop(40, colour_jitter=(0.5, 0.5, 0.5, 0.1), flip=False)(image, label)
    assert not torch.equal(changed, image)
    assert torch.equal(cut, label)


def test_the_input_is_left_alone():
    image, label = gradient(20, 20)
    before = image.clone(), label.clone()
    TrainingCrop(40, long_side=(30, 30), colour_jitter=(0.5, 0.5, 0.5, 0.1))(image, label)
    assert torch.equal(image, before[0])
    assert torch.equal(label, before[1])


ODD_RANGES = [{}, {"long_side": (3, 4), "scale": (0.5, 1.0)}, {"long_side": (9, 4)}, {"scale": (0.0, 1.0)}]
ODD_RANGES += [{"scale": (0.5, 1.0), "scale_choices": [1.0]}, {"scale_choices": []}, {"scale_choices": [1.0, -0.5]}]


@pytest.mark.parametrize("ranges", ODD_RANGES)
def test_odd_ranges_are_refused(ranges):
    with pytest.raises(ValueError, match=r"long_side or scale|range of sizes"):
        RandomResize(**ranges)
