import pytest
import torch
from torch import Tensor

from mars_pl.wsss.cam.activation import (
    flip_pair_activation,
    multi_scale_activation,
    normalise_activation,
    resize_image,
    sum_over_scales,
)


class Brightness:
    """Draws colour channels, averaged over 16×16 cells: activations that can be worked out by hand."""

    def activation(self, image: Tensor, present: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool2d(image[:, present].float(), 16, ceil_mode=True)


RED = torch.tensor([0])


def test_flip_pair_counts_both_views_in_place():
    image = torch.zeros(1, 3, 16, 32, dtype=torch.uint8)
    image[..., :16] = 10
    assert torch.equal(flip_pair_activation(Brightness(), image, RED), torch.tensor([[[20.0, 0.0]]]))


def test_one_scale_of_a_constant_image_is_twice_its_value_everywhere():
    image = torch.full((1, 3, 40, 50), 7, dtype=torch.uint8)
    maps = multi_scale_activation(Brightness(), image, RED, [1.0])
    assert maps.shape == (1, 40, 50)
    assert torch.allclose(maps, torch.full_like(maps, 14.0))


def test_scales_add_up():
    image = torch.full((1, 3, 32, 32), 5, dtype=torch.uint8)
    assert torch.allclose(multi_scale_activation(Brightness(), image, RED, [1.0, 0.5, 2.0]), torch.tensor(30.0))


def test_the_maps_of_some_classes_are_those_of_all_to_the_last_bit():
    image = torch.randint(0, 256, (1, 3, 45, 70), dtype=torch.uint8)
    every = multi_scale_activation(Brightness(), image, torch.arange(3), [1.0, 0.5, 1.5])
    for present in ([2], [0, 2], [2, 1]):
        maps = multi_scale_activation(Brightness(), image, torch.tensor(present), [1.0, 0.5, 1.5])
        assert torch.equal(maps, every[present])


def test_an_image_of_no_class_has_no_map_and_the_network_is_not_asked():
    maps = multi_scale_activation(None, torch.zeros(1, 3, 8, 9, dtype=torch.uint8), torch.tensor([], dtype=int), [1.0])
    assert maps.shape == (0, 8, 9)


def test_what_draws_is_told_the_scale_and_given_the_resized_image():
    seen = []

    def draw(image: Tensor, scale: float) -> Tensor:
        seen.append((scale, tuple(image.shape), image.dtype))
        return torch.full((2, 1, 1), scale)

    maps = sum_over_scales(draw, torch.zeros(1, 3, 20, 30, dtype=torch.uint8), [0.5, 2.0])
    assert seen == [(0.5, (1, 3, 10, 15), torch.uint8), (2.0, (1, 3, 40, 60), torch.uint8)]
    assert torch.equal(maps, torch.full((2, 20, 30), 2.5))


def test_no_scale_is_refused():
    with pytest.raises(ValueError, match="at least one scale"):
        multi_scale_activation(Brightness(), torch.zeros(1, 3, 8, 8, dtype=torch.uint8), RED, [])


def test_each_map_is_divided_by_its_own_maximum_and_a_silent_map_stays_zero():
    maps = torch.tensor([[[0.0, 4.0]], [[0.0, 0.0]], [[1.0, 1.0]]])
    expected = torch.tensor([[[0.0, 4 / (4 + 1e-5)]], [[0.0, 0.0]], [[1 / (1 + 1e-5)] * 2]])
    assert torch.allclose(normalise_activation(maps), expected)


def test_resized_images_stay_uint8_in_range():
    image = torch.randint(0, 2, (1, 3, 9, 9), dtype=torch.uint8) * 255
    resized = resize_image(image, (20, 13))
    assert resized.dtype == torch.uint8 and resized.shape == (1, 3, 20, 13)
    assert resize_image(image, (9, 9)) is image
