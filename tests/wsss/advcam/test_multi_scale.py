from collections import Counter

import pytest
import torch
import torch.nn.functional as F

from mars_pl.wsss.advcam.climbing import Climb, climbing_cam
from mars_pl.wsss.advcam.multi_scale import half_scale_iterations, multi_scale_climbing_cam
from mars_pl.wsss.cam.activation import resize_image
from tests.wsss.advcam.tiny_network import TinyNetwork

IMAGE = torch.randint(0, 256, (1, 3, 12, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("whole", "half"), [(27, 13), (12, 6), (11, 5), (10, 5), (6, 5), (5, 5), (4, 4), (1, 1)])
def test_iterations_at_the_half_scale(whole, half):
    assert half_scale_iterations(whole) == half


def test_each_class_climbs_at_each_scale_from_the_unchanged_image():
    network = TinyNetwork()
    found = multi_scale_climbing_cam(network, IMAGE, [0, 2], [0.5, 1.0, 2.0], Climb(iterations=12))
    assert Counter(network.sizes) == {(6, 10): 2 * 6, (12, 20): 2 * 12, (24, 40): 2 * 12}
    starts = network.seen[12], network.seen[24]  # of both classes at scale 1
    assert torch.equal(*starts)
    expected = torch.zeros(2, 16, 32)
    for scale, iterations in ((0.5, 6), (1.0, 12), (2.0, 12)):
        scaled = resize_image(IMAGE, (int(12 * scale), int(20 * scale)))
        pair = network.normalise(torch.cat([scaled, scaled.flip(-1)]))
        for row, index in enumerate((0, 2)):
            cam = climbing_cam(network, pair, index, Climb(iterations)).float()
            expected[row] += F.interpolate(cam[None, None], (16, 32), mode="bilinear")[0, 0]
    assert torch.allclose(found, expected[:, :12, :20], rtol=1e-5)


def test_an_image_without_classes_has_no_maps():
    assert multi_scale_climbing_cam(TinyNetwork(), IMAGE, [], [1.0], Climb()).shape == (0, 12, 20)


def test_no_scale_is_refused():
    with pytest.raises(ValueError, match="at least one scale"):
        multi_scale_climbing_cam(TinyNetwork(), IMAGE, [0], [], Climb())
