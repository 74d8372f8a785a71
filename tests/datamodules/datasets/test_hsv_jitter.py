import colorsys

import pytest
import torch
from torchvision import tv_tensors

from datamodules.datasets.hsv_jitter import HSVJitter, to_hsv, to_rgb
from datamodules.datasets.seeding import seeded

COLOURS = torch.tensor(
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0], [255, 255, 255], [90, 90, 90], [200, 30, 120], [12, 250, 33]]
)
IMAGE = COLOURS.T.reshape(3, 2, 4).float()


def test_hue_saturation_and_value_are_the_standard_ones():
    hue, saturation, value = (channel.flatten().tolist() for channel in to_hsv(IMAGE))
    for place, colour in enumerate(COLOURS.tolist()):
        h, s, v = colorsys.rgb_to_hsv(*(level / 255 for level in colour))
        assert (hue[place], saturation[place], value[place]) == pytest.approx((6 * h, 255 * s, 255 * v), abs=1e-4)


def test_there_and_back():
    image = torch.randint(0, 256, (3, 20, 30), generator=torch.Generator().manual_seed(0)).float()
    assert torch.allclose(to_rgb(*to_hsv(image)), image, atol=1e-3)


def shifted(monkeypatch, shifts, image):
    monkeypatch.setattr(HSVJitter, "make_params", lambda *_: {"shifts": shifts})
    return HSVJitter(1, 1, 1)(tv_tensors.Image(image.to(torch.uint8)))


def test_shifts_by_hand(monkeypatch):
    red = torch.tensor([200, 0, 0]).view(3, 1, 1)
    assert shifted(monkeypatch, [60, 0, 0], red).flatten().tolist() == [0, 200, 0]  # 120 degrees
    assert shifted(monkeypatch, [-30, 0, 0], red).flatten().tolist() == [200, 0, 200]
    assert shifted(monkeypatch, [0, -51, 0], red).flatten().tolist() == [200, 40, 40]
    assert shifted(monkeypatch, [0, 9, 60], red).flatten().tolist() == [255, 0, 0]
    assert shifted(monkeypatch, [0, 0, -250], red).flatten().tolist() == [0, 0, 0]


def test_shifts_reach_both_limits_and_masks_stay():
    jitter, seen = HSVJitter(0, 0, 2), set()
    grey, mask = tv_tensors.Image(torch.full((3, 1, 1), 100, dtype=torch.uint8)), tv_tensors.Mask(torch.ones(1, 1))
    for seed in range(60):
        with seeded(seed):
            changed, untouched = jitter(grey, mask)
        assert isinstance(changed, tv_tensors.Image) and torch.equal(untouched, mask)
        seen.add(int(changed[0]))
    assert seen == {98, 99, 100, 101, 102}
